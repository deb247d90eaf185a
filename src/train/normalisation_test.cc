// However samples are normalised, training, evaluation, prediction and a file that is loaded see the same numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "chalkgrad/inspect.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

/// The digits as bytes or, with another range in each column, as numbers.
Split as(const std::string& how, bool numbers) {
  Split split = data();
  for (auto* part : {&split.train, &split.test}) {
    if (!numbers) break;
    for (std::size_t i = 0; i < part->bytes.size(); ++i)
      part->values.push_back(static_cast<float>(part->bytes[i]) * static_cast<float>(i % 8 + 1) - 100);
    part->bytes.clear();
    part->scale.clear();
    part->shift.clear();
  }
  normalise(split, Normalisation::parse(how));
  return split;
}

struct NormalisationCase {
  std::string how;
  bool numbers;
};

class Normalised : public testing::TestWithParam<NormalisationCase> {
 protected:
  const Split split = as(GetParam().how, GetParam().numbers);
};

TEST_P(Normalised, AModelSeesSamplesAlikeEverywhere) {
  Network net = network("6c3-relu-mp2-10n", split.train.sample);
  TrainOptions options = quick();
  options.epochs = 1;
  options.optimizer = sgd({.lr = 1e-5});  // whatever the range of samples, it does not diverge
  train(net, split.train, options);
  const auto file = temporary("normalised.safetensors");
  net.save(file);
  Network loaded = Network::load(file);
  EXPECT_EQ(loaded.encoding.per_sample, net.encoding.per_sample);
  EXPECT_EQ(loaded.encoding.of_values, net.encoding.of_values);

  Dataset other = as("none", GetParam().numbers).test;  // as it may be loaded by whoever evaluates
  encode_as_trained(loaded, other);
  EXPECT_EQ(evaluate(loaded, other).loss, evaluate(net, split.test).loss);
  Network* both[] = {&net, &loaded};
  EXPECT_EQ(evaluate(both, split.test).accuracy, evaluate(net, split.test).accuracy);

  const auto size = static_cast<std::size_t>(elements(split.test.sample));
  const auto feed = [&](std::size_t first) {
    return GetParam().numbers ? loaded.encoding.feed(split.test.values.data() + first * size)
                              : loaded.encoding.feed(split.test.bytes.data() + first * size);
  };
  const auto found = inspect(net, split.test, 5, 2, InspectBy::engine);
  const auto y = std::ranges::find(found, "dense1", &InspectedValue::name);
  ASSERT_NE(y, found.end());
  const auto together = predict(loaded, feed(5), 2, false);
  EXPECT_EQ(std::vector<float>(y->value.begin(), y->value.end()), together);
  Predictor alone(loaded);
  const auto second = alone(feed(6));
  EXPECT_TRUE(std::equal(second.begin(), second.end(), together.begin() + 10));
}

TEST_P(Normalised, ARunGoesOnToTheSameBits) {
  TrainOptions options = quick();
  options.epochs = 2;
  options.optimizer = sgd({.lr = 1e-5});
  if (!GetParam().numbers) options.augment = Augmentations::parse("flip,shift:2,fill=mean");
  const auto sha = [&](bool interrupted, int threads) {
    Network net = network("10n", split.train.sample);
    options.threads = threads;
    const auto file = temporary("half.safetensors");
    for (const int steps : {interrupted ? 40 : 0, 1000}) {
      Trainer trainer(net, split.train, options);
      for (int i = 0; i < steps && !trainer.done(); ++i) trainer.step();
      if (steps == 40) {
        trainer.save(file);
        net = Network::load(file);
      }
    }
    return net.weights_sha256();
  };
  EXPECT_EQ(sha(true, 2), sha(false, 1));
}

INSTANTIATE_TEST_SUITE_P(All, Normalised,
                         testing::Values(NormalisationCase{"channel", false}, NormalisationCase{"sample", false},
                                         NormalisationCase{"min-max", false}, NormalisationCase{"given:0.2/0.3", false},
                                         NormalisationCase{"none", false}, NormalisationCase{"channel", true},
                                         NormalisationCase{"sample", true}, NormalisationCase{"min-max", true},
                                         NormalisationCase{"given:100/400", true}, NormalisationCase{"none", true}),
                         [](const auto& param) {
                           std::string name = param.param.how.substr(0, param.param.how.find(':'));
                           std::erase(name, '-');
                           return (param.param.numbers ? "numbers_" : "pictures_") + name;
                         });

TEST(Normalisation, AnotherOneIsAnotherDigest) {
  EXPECT_EQ(as("channel", false).train.digest(), data().train.digest());
  for (const char* how : {"sample", "none"}) EXPECT_NE(as(how, false).train.digest(), data().train.digest());
}

TEST(Normalisation, AModelOfNumbersLeavesBytesAsTheyAre) {
  Network net = network("10n", data().train.sample);
  const auto numbers = as("channel", true);
  TrainOptions options = quick();
  options.epochs = 1;
  train(net, numbers.train, options);
  Dataset bytes = data().test;
  encode_as_trained(net, bytes);
  EXPECT_EQ(bytes.scale, data().test.scale);
  EXPECT_FALSE(net.encoding.encodes_bytes());
}

}  // namespace
}  // namespace chalk
