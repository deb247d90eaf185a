// Steps whose loss is finite and whose gradient, or update, is not.
#include <algorithm>
#include <limits>
#include <regex>

#include "src/train/order.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr std::int64_t kBatch = 4, kSamples = 40;
constexpr std::uint32_t kBad = 17;

/// y = W·√(w·x) + b: the derivative of √ at 0 is infinite.
constexpr const char* kRoot = R"(
[[parameter]]
name = "w"
shape = [5]
init = 1
[[layer]]
type = "mul"
from = ["x", "w"]
[[layer]]
name = "root"
type = "sqrt"
[[layer]]
chain = "3n"
)";

/// Positive numbers, except for one of a sample.
Dataset numbers(float one = 0) {
  Dataset data;
  data.name = "numbers";
  data.sample = {5};
  data.class_names = {"a", "b", "c"};
  for (std::int64_t i = 0; i < kSamples; ++i) {
    for (int k = 0; k < 5; ++k) data.values.push_back(0.5F + 0.01F * static_cast<float>((i * 7 + k * 3) % 50));
    data.labels.push_back(static_cast<std::int32_t>(i % 3));
  }
  data.values[kBad * 5 + 2] = one;
  return data;
}

TrainOptions some(int threads = 2) {
  return {.epochs = 3, .batch = kBatch, .optimizer = sgd({.lr = 0.05}), .threads = threads};
}

/// The step, from 1 on, that sees the bad sample for the first time.
std::int64_t bad_step() {
  std::vector<std::uint32_t> order(kSamples);
  shuffle(order, some().seed, 0);
  return (std::ranges::find(order, kBad) - order.begin()) / kBatch + 1;
}

struct Ended {
  std::string message, sha;
  std::int64_t step = 0;
  double loss_sum = 0;
  bool diverged = false;
};

Ended ended(const Network& net, const std::string& message) {
  return {message, net.weights_sha256(), net.training->step, net.training->loss_sum, net.training->diverged};
}

Ended run(const Dataset& data, const TrainOptions& options) {
  Network net = network(kRoot, {5});
  const auto said = message([&] { train(net, data, options); });
  return ended(net, said);
}

/// What a run has come to that sees the same samples before, and stops there.
Ended stopped_before(std::int64_t step, const Dataset& data, const TrainOptions& options) {
  Network net = network(kRoot, {5});
  Trainer trainer(net, data, options);
  while (net.training->step < step - 1) trainer.step();
  return ended(net, "");
}

TEST(StepFlaw, NamesStepLayerAndSampleOfAGradientThatIsNotFiniteAndGoesBackToTheWeightsBefore) {
  const auto step = bad_step();
  ASSERT_GT(step, 2);
  ASSERT_LT(step, kSamples / kBatch) << "so that it is the next loss that shows it";
  const auto data = numbers();
  const auto before = stopped_before(step, data, some());
  for (const int threads : {1, 2, 3, 4}) {
    const auto found = run(data, some(threads));
    EXPECT_THAT(found.message,
                testing::MatchesRegex("step " + std::to_string(step) +
                                      " \\(epoch 1\\): the loss is finite \\([0-9.]+\\), but its gradient is not; the "
                                      "first value that is not is in the derivative of the layer root \\(inf\\) for "
                                      "sample 17; use a smaller lr \\(it was 0.05\\) or a warm-up, or keep what enters "
                                      "the layer away from there"));
    EXPECT_EQ(found.sha, before.sha) << threads;
    EXPECT_EQ(found.step, step - 1);
    EXPECT_EQ(found.loss_sum, before.loss_sum);
    EXPECT_TRUE(found.diverged);
  }
}

TEST(StepFlaw, IsSaidWithALimitOfMemoryToo) {
  const auto data = numbers();
  auto options = some();
  const auto without = run(data, options);
  options.compile.memory = 1;
  const auto refused = run(data, options).message;  // "… takes 12 kB at least, …"
  std::smatch number;
  ASSERT_TRUE(std::regex_search(refused, number, std::regex("takes ([0-9]+) kB at least"))) << refused;
  options.compile.memory = std::stoul(number[1]) * 1000;
  const auto within = run(data, options);
  EXPECT_EQ(within.message, without.message);
  EXPECT_EQ(within.sha, without.sha);
  EXPECT_TRUE(within.diverged);
}

TEST(StepFlaw, SaysTheSameAtTheEndOfAnEpochAndBeforeSaving) {
  const auto data = numbers();
  auto options = some();
  options.batch = kSamples;
  const auto at_the_end = run(data, options);
  EXPECT_THAT(at_the_end.message,
              testing::MatchesRegex("step 1 \\(epoch 1\\): the loss is finite \\([0-9.]+\\), but its gradient is not; "
                                    "the first value that is not is in the derivative of the layer root \\(inf\\) for "
                                    "sample 17; no step has been taken yet: begin with other weights or smaller "
                                    "samples, or keep what enters the layer away from there"));
  Network net = network(kRoot, {5});
  EXPECT_EQ(at_the_end.sha, net.weights_sha256());

  Trainer trainer(net, data, some());
  for (std::int64_t i = 0; i < bad_step(); ++i) trainer.step();
  const auto file = temporary("flawed.safetensors");
  EXPECT_EQ(message([&] { trainer.save(file); }), run(data, some()).message);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(net.weights_sha256(), stopped_before(bad_step(), data, some()).sha);
}

TEST(StepFlaw, IsFoundAfterAResumeAndManyStepsLater) {
  auto data = numbers(1);
  auto options = some();
  options.epochs = 60;  // several times as many steps as after which a moment is kept
  options.batch = 40;
  Network net = network(kRoot, {5});
  Trainer trainer(net, data, options);
  for (int i = 0; i < 49; ++i) trainer.step();
  const auto file = temporary("resumed.safetensors");
  trainer.save(file);
  const auto before = net.weights_sha256();
  Network again = Network::load(file);
  auto bad = numbers();
  again.training->digest.clear();
  const auto said = message([&] { train(again, bad, options); });
  EXPECT_TRUE(said.starts_with("step 50 (epoch 50): the loss is finite (")) << said;
  EXPECT_NE(said.find("root (inf) for sample 17; use a smaller lr"), std::string::npos) << said;
  EXPECT_EQ(again.weights_sha256(), before);
  fs::remove(file);
}

TEST(StepFlaw, OfAnUpdateNamesTheParameter) {
  auto options = some();
  options.optimizer = sgd({.lr = 3e38, .momentum = 0});
  options.batch = kSamples;
  auto data = numbers(1);
  for (auto& value : data.values) value *= 20;  // the gradient is more than 1
  Network net = network("3n", {5});
  const auto before = net.weights_sha256();
  const auto said = message([&] { train(net, data, options); });
  EXPECT_THAT(said,
              testing::MatchesRegex("step 1 \\(epoch 1\\): the loss \\([0-9.]+\\) and its gradient are finite, but "
                                    "dense1\\.[a-z]+ would become inf; use a smaller lr \\(it was 3e\\+38\\) or a "
                                    "warm-up"));
  EXPECT_EQ(net.weights_sha256(), before);
}

TEST(StepFlaw, BlamesNoStepForWhatSomebodyElseWrote) {
  const auto data = numbers(1);
  Network net = network(kRoot, {5});
  Trainer trainer(net, data, some());
  for (int i = 0; i < 5; ++i) trainer.step();
  net.variables().at("w").values()[1] = std::numeric_limits<float>::infinity();
  const auto written = net.weights_sha256();
  EXPECT_EQ(message([&] { trainer.save(temporary("never.safetensors")); }),
            "step 5 (epoch 1): after it, the parameter w is not finite (inf); use a smaller lr (it was 0.05) or a "
            "warm-up");
  EXPECT_EQ(net.weights_sha256(), written);
  EXPECT_EQ(message([&] { trainer.step(); }),
            "step 6 (epoch 1): the loss is not finite; the first value that is not is in the parameter w (inf); use a "
            "smaller lr (it was 0.05) or a warm-up");
  EXPECT_EQ(net.weights_sha256(), written);
}

TEST(StepFlaw, AnOptimizersStateCountsToo) {
  auto options = some();
  options.epochs = 1;
  options.optimizer = Adagrad{};
  auto data = numbers(1);
  Network net = network("3n", {5});
  for (auto& value : data.values) value *= 1e21F;  // g² is infinite, g is not
  for (auto& value : net.variables().at("dense1.weight").values()) value = 0;
  EXPECT_THAT(message([&] { train(net, data, options); }),
              testing::MatchesRegex("step 1 \\(epoch 1\\): the loss \\([0-9.]+\\) and its gradient are finite, but "
                                    "dense1\\.weight\\.sum would become inf; .*"));
}

}  // namespace
}  // namespace chalk
