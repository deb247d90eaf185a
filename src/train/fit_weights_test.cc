// Weights that start by what the data are.
#include <algorithm>
#include <cmath>
#include <vector>

#include "chalkgrad/inspect.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

Network whitened(const std::string& layer, const Dataset& samples = data().train, bool fitted = true) {
  Network net = network(
      "[[layer]]\ntype = \"conv\"\ninit = \"whitening:0.01\"\n" + layer + "\n[[layer]]\nchain = \"relu-gap-10n\"\n",
      samples.sample);
  if (fitted) fit_weights(net, samples);
  return net;
}

std::vector<float> weights(const Network& net) {
  const auto values = net.variables().at("conv1.weight").values();
  return {values.begin(), values.end()};
}

/// The covariance of what the filters make of every patch of 2 rows and 3 columns of all samples.
std::vector<double> covariance_of_outputs(const Network& net, const Dataset& samples, std::size_t filters) {
  const auto w = weights(net);
  std::vector<double> sums(filters), products(filters * filters), y(filters);
  double count = 0;
  for (std::size_t n = 0; n < samples.size(); ++n) {
    for (std::size_t place = 0; place < std::size_t{7} * 6; ++place) {
      for (std::size_t f = 0; f < filters; ++f) {
        y[f] = 0;
        for (std::size_t k = 0; k < 6; ++k) {
          const auto at = n * 64 + (place / 6 + k / 3) * 8 + place % 6 + k % 3;
          y[f] += static_cast<double>(w[f * 6 + k]) *
                  (samples.bytes[at] * static_cast<double>(samples.scale[0]) + static_cast<double>(samples.shift[0]));
        }
      }
      ++count;
      for (std::size_t f = 0; f < filters; ++f) {
        sums[f] += y[f];
        for (std::size_t g = 0; g < filters; ++g) products[f * filters + g] += y[f] * y[g];
      }
    }
  }
  for (std::size_t i = 0; i < products.size(); ++i)
    products[i] = products[i] / count - sums[i / filters] / count * (sums[i % filters] / count);
  return products;
}

TEST(Whitening, MakesWhatComesOutUncorrelatedAndOfOneSize) {
  const auto net = whitened("filters = 6\nkernel = [2, 3]");
  const auto covariance = covariance_of_outputs(net, data().train, 6);
  double before = 1;
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NEAR(covariance[i * 6 + j], 0, 1e-5) << i << " " << j;
    const double variance = covariance[i * 6 + i];  // λ / (λ + ε), the largest λ first
    EXPECT_LT(variance, before);
    EXPECT_GT(variance, 0.9);
    before = variance;
    // λ from it, and the length of the filter from that
    const double eigenvalue = 0.01 * variance / (1 - variance), expected = 1 / (eigenvalue + 0.01);
    double squared = 0;
    for (std::size_t k = 0; k < 6; ++k) squared += std::pow(static_cast<double>(weights(net)[i * 6 + k]), 2);
    EXPECT_NEAR(squared, expected, 1e-3 * expected) << i;
  }
  const auto drawn =
      covariance_of_outputs(whitened("filters = 6\nkernel = [2, 3]", data().train, false), data().train, 6);
  EXPECT_GT(std::abs(drawn[1]), 1e-2) << "what was drawn does not do this";
}

TEST(Whitening, HasTwoFiltersOfEachEigenvectorAtMost) {
  const auto all = weights(whitened("filters = 12\nkernel = [2, 3]")),
             some = weights(whitened("filters = 8\nkernel = [2, 3]"));
  for (std::size_t i = 0; i < 36; ++i) EXPECT_EQ(all[36 + i], -all[i]) << i;
  EXPECT_EQ(some, std::vector(all.begin(), all.begin() + 48));
}

TEST(Whitening, SeesSamplesAsTheyAreNormalised) {
  for (const char* how : {"channel", "sample", "min-max"}) {
    Split split = data();
    normalise(split, Normalisation::parse(how));
    Dataset seen = split.train;
    Network reader = network("10n", seen.sample);
    const auto found = inspect(reader, split.train, 0, split.train.size(), InspectBy::engine);
    const auto x = std::ranges::find(found, "x", &InspectedValue::name);
    ASSERT_NE(x, found.end());
    seen.values.assign(x->value.begin(), x->value.end());
    seen.bytes.clear();
    normalise(seen, Normalisation::parse("none"));
    const auto by_bytes = weights(whitened("filters = 6\nkernel = [2, 3]", split.train)),
               by_numbers = weights(whitened("filters = 6\nkernel = [2, 3]", seen));
    for (std::size_t i = 0; i < by_bytes.size(); ++i) EXPECT_NEAR(by_bytes[i], by_numbers[i], 1e-3) << how << " " << i;
  }
}

TEST(Whitening, SeesPatchesAsTheKernelDoes) {
  // A dilated kernel sees every second pixel: as one without dilation does on pictures of which only those are there.
  Dataset apart = data().train;
  apart.sample = {1, 4, 4};
  apart.bytes.clear();
  Dataset wide = data().train;
  for (std::size_t n = 0; n < wide.size(); ++n) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        const auto byte = static_cast<std::uint8_t>(wide.bytes[n * 64 + 2 * i * 8 + 2 * j]);
        apart.bytes.push_back(byte);
        for (const std::size_t k : {0, 1, 8, 9}) wide.bytes[n * 64 + 2 * i * 8 + 2 * j + k] = byte;
      }
    }
  }
  const auto dilated = weights(whitened("filters = 4\nkernel = 2\ndilation = 2", wide));
  const auto plain = weights(whitened("filters = 4\nkernel = 2", apart));
  for (std::size_t i = 0; i < plain.size(); ++i)
    EXPECT_NEAR(dilated[i], plain[i], 1e-2 * std::abs(plain[i]) + 1e-2) << i;
  EXPECT_EQ(weights(whitened("filters = 4\nkernel = 2\nstride = 2\npadding = 1")),
            weights(whitened("filters = 4\nkernel = 2")));
}

TEST(Whitening, TakesSamplesThatAreNumbers) {
  Dataset numbers = data().train;
  for (const auto byte : numbers.bytes) numbers.values.push_back(byte * numbers.scale[0] + numbers.shift[0]);
  numbers.bytes.clear();
  numbers.scale.clear();
  numbers.shift.clear();
  const auto bytes = weights(whitened("filters = 9\nkernel = 3")),
             same = weights(whitened("filters = 9\nkernel = 3", numbers));
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_NEAR(same[i], bytes[i], 1e-4 * std::abs(bytes[i]) + 1e-5) << i;
}

TEST(Whitening, LeavesOtherWeightsAloneAndGivesTheseBits) {
  const auto before = whitened("filters = 8\nkernel = 3", data().train, false),
             after = whitened("filters = 8\nkernel = 3");
  for (const char* other : {"conv1.bias", "dense1.weight", "dense1.bias"}) {
    const auto a = before.variables().at(other).values(), b = after.variables().at(other).values();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << other;
  }
  EXPECT_NE(weights(before), weights(after));
  EXPECT_EQ(after.weights_sha256(), "958cf50cd3d47b21e68e217b6a013f4a1579f6c54db2143abc30d6cfc91fa214");
  Network none = fresh();
  const auto sha = none.weights_sha256();
  fit_weights(none, data().train);
  EXPECT_EQ(none.weights_sha256(), sha);
}

TEST(Whitening, SaysWhatItCannotDo) {
  const auto said = [](const std::string& layer) { return message([&] { (void)whitened(layer); }); };
  EXPECT_EQ(said("filters = 19\nkernel = 3"),
            "conv1.weight starts by whitening, which makes two filters of each of the 9 eigenvectors, not 19 in all; "
            "use at most 18");
  EXPECT_EQ(said("filters = 2\nkernel = 9\npadding = 4"),
            "conv1.weight starts by whitening, but its kernel does not fit into a sample of 1×8×8; make it smaller");
  EXPECT_EQ(said("filters = 2\nkernel = 23\npadding = 11"),
            "conv1.weight starts by whitening, of patches of at most 512 numbers, not 529; make the kernel smaller");
  const std::string kernel =
      " starts by whitening, so it must be the kernel of a convolution of the network's input, not flipped and without "
      "groups; give it another init";
  EXPECT_EQ(said("filters = 2\nkernel = 3\nflipped = true"), "conv1.weight" + kernel);
  EXPECT_EQ(said("filters = 2\nkernel = 3\n[[layer]]\ntype = \"conv\"\nfilters = 2\nkernel = 1\ninit = \"whitening\""),
            "conv2.weight" + kernel);
  Network other = network("[[layer]]\ntype = \"conv\"\nfilters = 2\nkernel = 3\ninit = \"whitening\"\n", {3, 8, 8});
  EXPECT_THROW(fit_weights(other, data().train), ShapeError);
}

}  // namespace
}  // namespace chalk
