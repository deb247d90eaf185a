// Test-time augmentation: the mean over several views of a sample.
#include <algorithm>
#include <cmath>

#include "chalkgrad/evaluate.h"
#include "src/losses/loss.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr const char* kViews = "shift:1,border=reflect,flip";

/// The views of a picture of 8 × 8 and their weights, by loops of their own.
std::vector<std::pair<double, std::vector<std::uint8_t>>> six_views(const std::uint8_t* picture) {
  std::vector<std::pair<double, std::vector<std::uint8_t>>> views;
  for (const int by : {0, 1, -1}) {
    for (const bool flipped : {false, true}) {
      auto& [weight, bytes] = views.emplace_back();
      weight = by == 0 ? 0.25 : 0.125;
      for (int r = 0; r < 8; ++r) {
        for (int c = 0; c < 8; ++c) {
          const auto inside = [](int i) { return i < 0 ? -i : i > 7 ? 14 - i : i; };
          bytes.push_back(picture[8 * inside(r - by) + inside((flipped ? 7 - c : c) - by)]);
        }
      }
    }
  }
  return views;
}

Network trained(const char* line = kNet, const Loss& loss = Loss::cross_entropy) {
  Network net = network(line, data().train.sample);
  auto options = quick();
  options.loss = loss;
  if (of_softmax(loss)) {
    train(net, data().train, options);
    return net;
  }
  Dataset numbers = data().train;
  numbers.target = {2};
  for (const auto label : numbers.labels) {
    numbers.targets.push_back(label > 4 ? 1.0F : 0.0F);
    numbers.targets.push_back(label % 2 ? 1.0F : 0.0F);
  }
  numbers.labels.clear();
  numbers.class_names.clear();
  train(net, numbers, options);
  return net;
}

Feed feed_of(const Network& net, const std::uint8_t* bytes) {
  return {.bytes = bytes, .scale = net.encoding.scale.data(), .shift = net.encoding.shift.data()};
}

std::vector<double> softmax_of(const std::vector<double>& z) {
  double sum = 0;
  std::vector<double> p;
  for (const double v : z) sum += std::exp(v);
  for (const double v : z) p.push_back(std::exp(v) / sum);
  return p;
}

/// The weighted mean of what the network says of each view, sample by sample, in double.
std::vector<double> mean_over_views(const Network& net, Predictor& alone, const std::uint8_t* picture) {
  std::vector<double> mean(static_cast<std::size_t>(net.output_shape()[0]));
  for (const auto& [weight, bytes] : six_views(picture)) {
    const auto y = alone(feed_of(net, bytes.data()));
    for (std::size_t i = 0; i < y.size(); ++i) mean[i] += weight * static_cast<double>(y[i]);
  }
  return mean;
}

TEST(TestTimeAugmentation, AnswersWithTheSoftmaxOfTheMeanOfTheLogits) {
  Network net = trained();
  const auto views = Augmentations::parse(kViews);
  Predictor logits(net, false, 1, "y", views), probabilities(net, true, 1, "y", views);
  Predictor one(net, false, 1);
  double difference = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto* picture = &data().test.bytes[64 * i];
    const auto expected = mean_over_views(net, one, picture), p = softmax_of(expected);
    const auto z = logits(feed_of(net, picture)), q = probabilities(feed_of(net, picture));
    const auto alone = one(feed_of(net, picture));
    for (std::size_t k = 0; k < 10; ++k) {
      EXPECT_NEAR(z[k], expected[k], 1e-6 * (1 + std::abs(expected[k])));
      EXPECT_NEAR(q[k], p[k], 1e-6);
      difference = std::max(difference, std::abs(static_cast<double>(alone[k]) - expected[k]));
    }
  }
  EXPECT_GT(difference, 0.5) << "or the views would not matter";
}

TEST(TestTimeAugmentation, IsMeasuredByTheLossOfTheMean) {
  Network net = trained();
  Network* one[] = {&net};
  const auto found = evaluate(one, data().test, 2, {}, Augmentations::parse(kViews));
  Predictor alone(net, false, 1);
  double loss = 0;
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < data().test.size(); ++i) {
    const auto z = mean_over_views(net, alone, &data().test.bytes[64 * i]);
    const auto label = static_cast<std::size_t>(data().test.labels[i]);
    loss -= std::log(softmax_of(z)[label]) / static_cast<double>(data().test.size());
    correct += std::ranges::max_element(z) - z.begin() == data().test.labels[i] ? 1 : 0;
  }
  EXPECT_NEAR(found.loss, loss, 1e-5 * loss);
  EXPECT_EQ(found.ranks[0], correct);
  EXPECT_EQ(found.samples, 359);
  EXPECT_NE(found.loss, evaluate(net, data().test).loss);
  EXPECT_EQ(evaluate(one, data().test, 2).loss, evaluate(net, data().test).loss);
}

TEST(TestTimeAugmentation, GivesASampleTheSameBitsInAnyBatchOnAnyThreads) {
  Network net = trained();
  const auto views = Augmentations::parse(kViews);
  const auto* bytes = data().test.bytes.data();
  const auto expected = predict(net, feed_of(net, bytes), 100, true, 1, "y", views);
  Predictor one_by_one(net, true, 1, "y", views);
  for (std::size_t i = 0; i < 100; ++i) {
    const auto y = one_by_one(feed_of(net, bytes + 64 * i));
    ASSERT_TRUE(std::ranges::equal(y, std::span(expected).subspan(10 * i, 10))) << i;
  }
  for (const int threads : {2, 3, 4})
    EXPECT_EQ(predict(net, feed_of(net, bytes), 100, true, threads, "y", views), expected);
  Feed fetched{.scale = net.encoding.scale.data(), .shift = net.encoding.shift.data()};
  fetched.fetch_bytes = [&](std::span<const std::uint32_t> rows, std::uint64_t, std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(bytes + 64 * rows[i], 64, &to[64 * i]);
  };
  EXPECT_EQ(predict(net, fetched, 100, true, 2, "y", views), expected);
}

TEST(TestTimeAugmentation, OfSigmoidsIsTheMeanOfWhatGoesIntoThemAndOfNumbersTheirOwn) {
  Network sigmoids = trained("8n-tanh-2n-sigmoid", Loss::binary_cross_entropy);
  Network joined = trained("8n-tanh-2n", Loss::sigmoid_cross_entropy);
  Network numbers = trained("8n-tanh-2n", Loss::squared_error);
  const auto views = Augmentations::parse(kViews);
  Predictor alone(sigmoids, true, 1), of_joined(joined, false, 1), of_numbers(numbers, false, 1);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto* picture = &data().test.bytes[64 * i];
    const auto of = [&](Network& net, bool probabilities = true) {
      return predict(net, feed_of(net, picture), 1, probabilities, 1, "y", views);
    };
    std::vector<double> z(2);
    for (const auto& [weight, bytes] : six_views(picture)) {
      const auto y = alone(feed_of(sigmoids, bytes.data()));
      for (std::size_t k = 0; k < 2; ++k) {
        const auto p = static_cast<double>(y[k]);
        z[k] += weight * std::log(p / (1 - p));
      }
    }
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_NEAR(of(sigmoids)[k], 1 / (1 + std::exp(-z[k])), 2e-6);
      const double mean = mean_over_views(joined, of_joined, picture)[k];
      EXPECT_NEAR(of(joined)[k], 1 / (1 + std::exp(-mean)), 2e-6);
      EXPECT_NEAR(of(joined, false)[k], mean, 1e-5);
      EXPECT_NEAR(of(numbers)[k], mean_over_views(numbers, of_numbers, picture)[k], 1e-6);
    }
  }
}

TEST(TestTimeAugmentation, OfSeveralNetworksIsTheMeanOfTheirProbabilities) {
  Network a = trained(), b = trained("10n");
  Network* both[] = {&a, &b};
  const auto views = Augmentations::parse(kViews);
  Ensemble ensemble(both, 1, {}, views);
  const auto* bytes = data().test.bytes.data();
  const auto found = ensemble(feed_of(a, bytes), 5);
  const auto p = predict(a, feed_of(a, bytes), 5, true, 1, "y", views),
             q = predict(b, feed_of(b, bytes), 5, true, 1, "y", views);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_FLOAT_EQ(found[i], (p[i] + q[i]) / 2);
}

TEST(TestTimeAugmentation, SaysWhatItCannotLookAt) {
  const auto said = [](Network& net, const Feed& feed) {
    return message([&] { predict(net, feed, 1, true, 1, "y", Augmentations::parse("flip")); });
  };
  Network vectors = network("3n", {4}), map = network("2c3z", {1, 8, 8}), net = fresh();
  for (auto* each : {&vectors, &map}) each->initialize(1);
  const std::vector<float> x(64);
  EXPECT_EQ(said(vectors, {.values = x.data()}),
            "test-time augmentation is for pictures, {channels, rows, columns}, and the network takes 4; leave out "
            "\"flip\"");
  EXPECT_EQ(
      said(map, {.values = x.data()}),
      "test-time augmentation is for outputs that are vectors, and y is 2×8×8, in which what is seen would have to "
      "be moved back; leave it out");
  EXPECT_EQ(said(net, {.values = x.data()}),
            "test-time augmentation is for pictures in bytes, and these samples are not; leave it out");
  Network bad = trained();
  bad.variables().at("conv1.weight").values()[0] = 3e38F;
  bad.variables().at("dense1.weight").values()[0] = 3e38F;
  EXPECT_EQ(said(bad, feed_of(bad, data().test.bytes.data())),
            "the network's answer is not finite; the first value that is not is in the layer conv1 (inf) for sample 0; "
            "train it again, with a smaller lr, or use a model from before that happened");
}

}  // namespace
}  // namespace chalk
