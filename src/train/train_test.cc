#include "chalkgrad/train.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <regex>

#include "chalkgrad/error.h"
#include "src/ops/registry.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

const Split& data() {
  static const Split split = digits();
  return split;
}

constexpr const char* kNet = "6c3-relu-mp2-20n-relu-10n";

Network fresh(std::uint64_t seed = 1) {
  Network net = network(kNet, data().train.sample);
  net.initialize(seed);
  return net;
}

TrainOptions quick() { return {.epochs = 3, .batch = 50, .optimizer = {.lr = 0.05, .momentum = 0.9}, .threads = 2}; }

std::string trained_sha(TrainOptions options) {
  Network net = fresh();
  train(net, data().train, options);
  return net.weights_sha256();
}

fs::path temporary(const std::string& name) { return fs::path(testing::TempDir()) / ("chalkgrad_" + name); }

TEST(Train, LearnsTheDigits) {
  Network net = fresh();
  const double before = evaluate(net, data().test).accuracy;
  TrainOptions options = quick();
  options.epochs = 8;
  options.schedule = Schedule::parse("one-cycle");
  const auto result = train(net, data().train, options);
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.last.step, 8 * 29);
  EXPECT_EQ(result.last.samples, 1438);
  const Evaluation after = evaluate(net, data().test);
  EXPECT_LT(before, 0.4);
  EXPECT_GT(after.accuracy, 0.95);
  EXPECT_EQ(after.samples, 359);
  ASSERT_EQ(after.classes.size(), 10U);
  std::int64_t samples = 0, correct = 0, predicted = 0;
  for (const auto& c : after.classes) samples += c.samples, correct += c.correct, predicted += c.predicted;
  EXPECT_EQ(samples, 359);
  EXPECT_EQ(predicted, 359);
  EXPECT_DOUBLE_EQ(after.accuracy, static_cast<double>(correct) / 359);
}

TEST(Train, GivesTheSameBitsOnAnyNumberOfThreads) {
  auto options = quick();
  const auto expected = trained_sha(options);
  for (const int threads : {1, 3, 4}) {
    options.threads = threads;
    EXPECT_EQ(trained_sha(options), expected) << threads;
  }
}

TEST(Train, AnotherSeedGivesAnotherOrder) {
  auto options = quick();
  const auto one = trained_sha(options);
  options.seed = 2;
  EXPECT_NE(trained_sha(options), one);
}

TEST(Train, GoesOnFromACheckpointToTheSameBits) {
  for (const bool nesterov : {false, true}) {
    auto options = quick();
    options.optimizer.nesterov = nesterov;
    options.optimizer.weight_decay = 1e-3;
    options.schedule = Schedule::parse("cosine+warmup:1");
    const auto expected = trained_sha(options);
    for (const std::int64_t stop : {1, 17, 29, 30, 86}) {
      options.checkpoint = temporary("resume.safetensors");
      options.on_step = [&](const Progress& progress) {
        if (progress.step == stop) request_stop();
      };
      Network net = fresh();
      EXPECT_TRUE(train(net, data().train, options).stopped);
      Network again = Network::load(options.checkpoint);
      options.on_step = nullptr;
      options.threads = 1;
      const auto result = train(again, data().train, options);
      EXPECT_EQ(result.last.step, 87);
      EXPECT_EQ(again.weights_sha256(), expected) << "stopped after step " << stop;
    }
    fs::remove(options.checkpoint);
  }
}

TEST(Train, ResumesOnlyWhatItWas) {
  auto options = quick();
  options.checkpoint = temporary("other.safetensors");
  options.on_step = [](const Progress& progress) {
    if (progress.step == 3) request_stop();
  };
  Network net = fresh();
  train(net, data().train, options);
  Network again = Network::load(options.checkpoint);
  EXPECT_EQ(checkpoint_options(again).batch, 50);
  EXPECT_EQ(checkpoint_options(again).optimizer.momentum, 0.9);
  options.batch = 20;
  EXPECT_EQ(message([&] { train(again, data().train, options); }),
            "the checkpoint was trained with batch=50, not 20; resume with the options it was started with");
  options.batch = 50;
  EXPECT_NE(message([&] { train(again, data().test, options); }).find("the checkpoint was trained on 1438 samples"),
            std::string::npos);
  fs::remove(options.checkpoint);
}

TEST(Train, APartialLastBatchIsExact) {  // 1,438 = 89 · 16 + 14; one step over all must equal a mean over all
  Network net = fresh();
  const double mean_loss = evaluate(net, data().train).loss;
  TrainOptions options = quick();
  options.epochs = 1;
  options.batch = 1 << 20;
  const auto result = train(net, data().train, options);
  EXPECT_EQ(result.last.step, 1);
  EXPECT_NEAR(result.last.loss, mean_loss, 1e-6);
}

TEST(Train, NamesStepAndLayerOfALossThatIsNotFinite) {
  Network net = fresh();
  TrainOptions options = quick();
  options.optimizer.lr = 1e30;
  const auto text = message([&] { train(net, data().train, options); });
  EXPECT_TRUE(
      text.starts_with("step 2 (epoch 1): the loss is not finite; the first value that is not is in the layer "))
      << text;
  EXPECT_NE(text.find("use a smaller lr"), std::string::npos);
}

TEST(Train, RefusesOptionsThatMakeNoSense) {
  Network net = fresh();
  const auto refused = [&](auto change) {
    TrainOptions options = quick();
    change(options);
    return message([&] { train(net, data().train, options); });
  };
  EXPECT_EQ(refused([](auto& o) { o.epochs = 0; }), "epochs is 0; it must be at least 1");
  EXPECT_EQ(refused([](auto& o) { o.batch = 0; }), "batch is 0; it must be between 1 and 16777216");
  EXPECT_EQ(refused([](auto& o) { o.optimizer.lr = std::nan(""); }), "lr is nan; it must be a number above 0");
  EXPECT_EQ(refused([](auto& o) { o.optimizer.lr = -1; }), "lr is -1; it must be a number above 0");
  EXPECT_EQ(refused([](auto& o) { o.optimizer.momentum = 1; }), "momentum is 1; it must be at least 0 and below 1");
  EXPECT_EQ(refused([](auto& o) { o.optimizer.momentum = 0, o.optimizer.nesterov = true; }),
            "nesterov needs a momentum above 0");
  EXPECT_EQ(refused([](auto& o) { o.loss = Loss::squared_error; }),
            "data set \"digits\" has class labels; train with the loss cross-entropy");
  Network other = network("5n", {3});
  EXPECT_NE(message([&] { train(other, data().train, quick()); }).find("has samples of 1×8×8 but the network takes 3"),
            std::string::npos);
  Network five = network("5n", {1, 8, 8});
  EXPECT_NE(message([&] {
              train(five, data().train, quick());
            }).find("the network's output is 5 but the data have 10 classes"),
            std::string::npos);
}

TEST(Train, RegressesOnTargets) {  // y = 2·x1 − x2 + 0.5 is within reach of one dense layer
  Dataset line;
  line.name = "line";
  line.sample = {2};
  line.target = {1};
  for (int i = 0; i < 100; ++i) {
    const float a = static_cast<float>(i % 10) / 10, b = static_cast<float>(i / 10) / 10;
    line.values.insert(line.values.end(), {a, b});
    line.targets.push_back(2 * a - b + 0.5f);
  }
  Network net = network("1n", {2});
  TrainOptions options{.epochs = 300, .batch = 20, .optimizer = {.lr = 0.2}, .loss = Loss::squared_error, .threads = 1};
  train(net, line, options);
  EXPECT_LT(evaluate(net, line).loss, 1e-6);
  EXPECT_NEAR(net.variables().at("dense1.bias").values()[0], 0.5, 1e-2);
}

TEST(TrainingGraph, TheGradientOfTheLogitsIsSoftmaxMinusTarget) {
  for (const char* text : {"10n", "10n-softmax"}) {
    Network net = network(text, data().train.sample);
    const Graph step = training_graph(net, Loss::cross_entropy, {10}, {});
    Variables variables(step, 1);
    std::string simplified;
    CompileOptions options;
    options.print_after = {"simplify"};
    options.print = [&](std::string_view, const std::string& graph) { simplified = graph; };
    Program program(step, variables, options);
    std::smatch y;
    ASSERT_TRUE(std::regex_search(simplified, y, std::regex("(%[0-9]+[^:\\n]*) : batched 10 = softmax\\(")))
        << simplified;
    EXPECT_TRUE(std::regex_search(simplified, std::regex("= sub\\(" + y[1].str() + ", %[0-9]+ t\\)"))) << simplified;
    EXPECT_EQ(simplified.find("batched 10 = div("), std::string::npos) << "only N divides:\n" << simplified;
  }
}

TEST(Schedule, FollowsItsFormula) {
  EXPECT_EQ(Schedule::parse("constant").factor(17, 100, 10), 1);
  const auto steps = Schedule::parse("step:2,0.5");
  EXPECT_EQ(steps.factor(19, 100, 10), 1);
  EXPECT_EQ(steps.factor(20, 100, 10), 0.5);
  EXPECT_EQ(steps.factor(45, 100, 10), 0.25);
  const auto cosine = Schedule::parse("cosine");
  for (const std::int64_t step : {0, 25, 50, 99}) {
    EXPECT_NEAR(cosine.factor(step, 100, 10), 0.5 * (1 + std::cos(M_PI * static_cast<double>(step) / 100)), 1e-15);
  }
  const auto cycle = Schedule::parse("one-cycle");
  EXPECT_LT(cycle.factor(0, 100, 10), 0.1);
  EXPECT_NEAR(cycle.factor(20, 100, 10), 1, 1e-12);
  EXPECT_NEAR(cycle.factor(60, 100, 10), 0.5, 1e-12);
  const auto warm = Schedule::parse("constant+warmup:2");
  EXPECT_NEAR(warm.factor(0, 100, 10), 1.0 / 21, 1e-12);
  EXPECT_EQ(warm.factor(20, 100, 10), 1);
}

TEST(Schedule, ReadsWhatItWrites) {
  for (const char* text : {"constant", "cosine", "one-cycle", "step:10,0.5", "cosine+warmup:2"})
    EXPECT_EQ(Schedule::parse(text).text(), text);
  for (const char* text :
       {"", "cos", "step:", "step:0", "step:1,x", "cosine+warmup", "cosine+warmup:-1", "step:nan", "cosine+cool:2"}) {
    EXPECT_NE(message([&] { (void)Schedule::parse(text); }).find("is not known; use constant, step:"),
              std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace chalk
