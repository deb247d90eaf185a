// Averages of weights, and Lookahead: beside a run without them, after interruptions, and with all that looks at a
// network's weights.
#include <algorithm>
#include <cmath>

#include "chalkgrad/ops.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

// A network with running statistics and noise, and the averages that treat them differently.

constexpr const char* kNetWithStatistics = "6c3-bn-relu-mp2-drop0.2-20n-relu-10n";

Network with_statistics() {
  Network net = network(kNetWithStatistics, data().train.sample);
  net.initialize(1);
  return net;
}

TrainOptions averaged(const std::string& text) {
  auto options = quick();
  options.average = Average::parse(text);
  return options;
}

/// Under sanitizers one of each kind.
const std::vector<std::string> kAverages =
    testing_support::one_in() > 1
        ? std::vector<std::string>{"ema:0.99,from=1", "swa:1,every=2"}
        : std::vector<std::string>{"ema:0.9", "ema:0.99,from=1", "swa:0", "swa:1", "swa:1,every=2"};

TrainOptions looking_ahead(const std::string& text) {
  auto options = quick();
  options.lookahead = Lookahead::parse(text);
  return options;
}

std::vector<float> values_of(const Network& net, const std::string& name) {
  const auto values = net.variables().at(name).values();
  return {values.begin(), values.end()};
}

TEST(Averages, LeaveTheWeightsThatAreTrainedAndTheOptimizersStateAsTheyAre) {
  Network without = with_statistics();
  train(without, few(), quick());
  for (const auto& text : kAverages) {
    Network net = with_statistics();
    train(net, few(), averaged(text));
    EXPECT_NE(net.weights_sha256(), without.weights_sha256()) << text;
    for (const auto& [name, tensor] : without.variables().all()) {
      const bool is_state = name.ends_with(".momentum");
      EXPECT_EQ(values_of(net, is_state ? name : name + ".raw"), values_of(without, name)) << text << ", " << name;
    }
    EXPECT_EQ(net.training->loss_sum, without.training->loss_sum) << text;
  }
}

TEST(Averages, AreTheWeightsWhileThereIsNothingToAverage) {
  for (const std::string text : {"ema:0.9,from=2", "swa:2"}) {
    std::vector<std::string> with, without;
    for (auto* seen : {&without, &with}) {
      Network net = with_statistics();
      auto options = seen == &with ? averaged(text) : quick();
      options.on_epoch = [&](const Progress&) { seen->push_back(net.weights_sha256()); };
      train(net, few(), options);
    }
    EXPECT_EQ(with[0], without[0]) << text;
    EXPECT_EQ(with[1], without[1]) << text;
    EXPECT_NE(with[2], without[2]) << text;
  }
}

std::string all_variables_sha(const Network& net) {
  std::string all = net.weights_sha256();
  for (const auto& name : net.training->states) {
    for (const float value : values_of(net, name)) all += std::to_string(value) + " ";
  }
  return all;
}

void expect_the_same_bits_after_a_resume(TrainOptions options, const std::string& what) {
  Network whole = with_statistics();
  train(whole, few(), options);
  for (const std::int64_t stop_after : {1, 8, 9, 16, 21}) {
    options.threads = static_cast<int>(1 + stop_after % 4);
    options.checkpoint = temporary("averaged.safetensors");
    options.on_step = [&](const Progress& progress) {
      if (progress.step == stop_after) request_stop();
    };
    Network net = with_statistics();
    EXPECT_TRUE(train(net, few(), options).stopped);
    Network again = Network::load(options.checkpoint);
    EXPECT_EQ(again.weights_sha256(), net.weights_sha256()) << "a checkpoint holds what the network does";
    options.on_step = nullptr;
    train(again, few(), options);
    EXPECT_EQ(again.weights_sha256(), whole.weights_sha256()) << what << ", stopped after " << stop_after;
    EXPECT_EQ(all_variables_sha(again), all_variables_sha(whole)) << what << ", stopped after " << stop_after;
    fs::remove(options.checkpoint);
  }
}

TEST(Averages, AreTheSameBitsOnAnyNumberOfThreadsAndAfterAResume) {
  for (const auto& text : kAverages) expect_the_same_bits_after_a_resume(averaged(text), text);
}

TEST(LookaheadRuns, AreTheSameBitsOnAnyNumberOfThreadsAndAfterAResume) {
  expect_the_same_bits_after_a_resume(looking_ahead("5"), "5");
  auto both = looking_ahead("3,0.8");
  both.average = Average::parse("swa:1");
  both.optimizer = AdamW{};
  expect_the_same_bits_after_a_resume(both, "3,0.8 with swa:1");
}

TEST(LookaheadRuns, HaveSlowWeightsThatChangeAtEachKthStepAlone) {
  Network net = with_statistics(), plainly = with_statistics();
  auto options = looking_ahead("5,0.5");
  Trainer fast(plainly, few(), quick());
  for (int i = 0; i < 4; ++i) fast.step();
  const auto before = values_of(net, "dense1.weight"), fourth = values_of(plainly, "dense1.weight");
  Trainer trainer(net, few(), options);
  for (int i = 0; i < 4; ++i) {
    trainer.step();
    EXPECT_EQ(values_of(net, "dense1.weight"), before) << i;
  }
  EXPECT_EQ(values_of(net, "dense1.weight.fast"), fourth) << "the optimizer's own steps";
  EXPECT_EQ(values_of(net, "dense1.weight.momentum"), values_of(plainly, "dense1.weight.momentum"));
  trainer.step();
  fast.step();
  const auto fifth = values_of(plainly, "dense1.weight"), pulled = values_of(net, "dense1.weight");
  for (std::size_t i = 0; i < pulled.size(); ++i) ASSERT_EQ(pulled[i], before[i] + 0.5F * (fifth[i] - before[i]));
  EXPECT_EQ(values_of(net, "dense1.weight.fast"), pulled);
  EXPECT_EQ(values_of(net, "dense1.weight.momentum"), values_of(plainly, "dense1.weight.momentum"))
      << "the optimizer's state stays";
}

TEST(LookaheadRuns, AreJudgedAndKeptByTheirSlowWeights) {
  const Split parts = hold_out(few(), 0.2);
  auto options = looking_ahead("4");
  options.validation = &parts.test;
  Network net = with_statistics();
  options.on_epoch = [&](const Progress& now) { EXPECT_EQ(now.validation_loss, evaluate(net, parts.test).loss); };
  train(net, parts.train, options);
  EXPECT_EQ(evaluate(net, parts.test).loss, net.training->best.loss);
  const auto& states = net.training->states;
  EXPECT_EQ(std::ranges::find(states, "dense1.weight.fast"), states.end()) << "which are those of another epoch";
}

TEST(LookaheadRuns, ThatAreGoneOnWithCannotDropIt) {
  auto options = looking_ahead("5");
  options.on_step = [](const Progress&) { request_stop(); };
  Network net = fresh();
  train(net, few(), options);
  EXPECT_EQ(
      message([&] { train(net, few(), quick()); }),
      R"(the checkpoint was trained with lookahead="5,0.5", not ""; resume with the options it was started with, )"
      "or reset Network::training to begin a new run from its weights");
}

TEST(Averages, WorkWithEveryOptimizer) {
  for (const auto name : Optimizer::names()) {
    auto options = averaged("ema:0.9");
    options.epochs = 1;
    options.optimizer = Optimizer::named(name);
    auto without = options;
    without.average = {};
    Network net = fresh(), usual = fresh();
    train(net, few(), options);
    train(usual, few(), without);
    EXPECT_EQ(values_of(net, "dense1.weight.raw"), values_of(usual, "dense1.weight")) << name;
    EXPECT_NE(values_of(net, "dense1.weight"), values_of(usual, "dense1.weight")) << name;
    without.lookahead = options.lookahead = {.steps = 3};
    Network ahead = fresh(), averaged_too = fresh();
    train(ahead, few(), without);
    train(averaged_too, few(), options);
    EXPECT_NE(values_of(ahead, "dense1.weight"), values_of(usual, "dense1.weight")) << name;
    EXPECT_EQ(values_of(averaged_too, "dense1.weight.raw"), values_of(ahead, "dense1.weight")) << name;
    EXPECT_EQ(values_of(averaged_too, "dense1.weight.fast"), values_of(ahead, "dense1.weight.fast")) << name;
  }
}

TEST(Averages, OfFrozenParametersAreThemselves) {
  auto options = averaged("ema:0.9");
  options.groups = {{.pattern = "conv*", .frozen = true}};
  Network net = with_statistics();
  const auto before = values_of(net, "conv1.weight");
  train(net, few(), options);
  EXPECT_EQ(values_of(net, "conv1.weight"), before);
  EXPECT_FALSE(net.variables().contains("conv1.weight.raw"));
  EXPECT_TRUE(net.variables().contains("batch_norm1.running_mean.raw"));
}

TEST(Averages, OfEpochsHaveStatisticsMeasuredOverAllBatches) {
  auto options = averaged("swa:1");
  options.batch = 195;  // two batches of one size: the mean of their means is that of all samples
  Network net = network("6c3-bn-relu-10n", data().train.sample);
  net.initialize(1);
  train(net, few(), options);
  // The mean of what the convolution makes, over samples and places.
  Graph graph;
  const Value x = graph.input("x", data().train.sample);
  const Value w = graph.parameter("conv1.weight", net.variables().at("conv1.weight").shape());
  graph.output("mean", batch_sum(mean(conv2d(x, w), {1, 2})) / graph.batch_size());
  Program program(graph, net.variables());
  program.feed("x", {.bytes = few().bytes.data(), .scale = few().scale.data(), .shift = few().shift.data()});
  program.run(few().size());
  const auto found = values_of(net, "batch_norm1.running_mean");
  for (std::size_t c = 0; c < found.size(); ++c) EXPECT_NEAR(program.output("mean")[c], found[c], 1e-6) << c;
  EXPECT_NE(found, values_of(net, "batch_norm1.running_mean.raw"));
}

TEST(Averages, AreWhatValidationMeasuresAndKeeps) {
  const Split parts = hold_out(few(), 0.2);
  for (const auto& text : kAverages) {
    auto options = averaged(text);
    options.epochs = 5;
    options.optimizer = sgd({.lr = 0.3});
    options.validation = &parts.test;
    Network net = with_statistics();
    std::vector<std::string> weights;
    options.on_epoch = [&](const Progress& now) {
      weights.push_back(net.weights_sha256());
      EXPECT_EQ(now.validation_loss, evaluate(net, parts.test).loss) << text;
    };
    train(net, parts.train, options);
    EXPECT_EQ(net.weights_sha256(), weights[static_cast<std::size_t>(net.training->best.epoch)]) << text;
    EXPECT_FALSE(has_raw_weights(net)) << text;
    const auto file = temporary("best_average.safetensors");
    net.save(file);
    const Network loaded = Network::load(file);
    EXPECT_FALSE(loaded.variables().contains("conv1.weight.raw")) << text;
    EXPECT_EQ(loaded.weights_sha256(), net.weights_sha256()) << text;
    options.keep_last = true;
    options.on_epoch = nullptr;
    Network last = with_statistics();
    train(last, parts.train, options);
    EXPECT_TRUE(has_raw_weights(last)) << text;
    fs::remove(file);
  }
}

TEST(Averages, GiveWayToTheWeightsOfTheLastStepInANewRun) {
  for (const auto& text : kAverages) {
    Network net = with_statistics(), without = with_statistics();
    train(net, few(), averaged(text));
    train(without, few(), quick());
    const auto file = temporary("to_train_further.safetensors");
    net.save(file);
    Network loaded = Network::load(file);
    EXPECT_TRUE(has_raw_weights(loaded)) << text;
    for (Network* one : {&net, &loaded, &without}) {
      begin_anew(*one);
      EXPECT_FALSE(one->training) << text;
      EXPECT_EQ(one->weights_sha256(), without.weights_sha256()) << text;
    }
    train(loaded, few(), quick());
    train(without, few(), quick());
    EXPECT_EQ(loaded.weights_sha256(), without.weights_sha256()) << text;
    loaded.save(file);
    EXPECT_FALSE(Network::load(file).variables().contains("conv1.weight.raw")) << text;
    fs::remove(file);
  }
}

TEST(Averages, OfARunThatIsGoneOnWithCannotBeLeftOutOrChanged) {
  auto options = averaged("ema:0.9");
  options.on_step = [](const Progress&) { request_stop(); };
  Network net = with_statistics();
  train(net, few(), options);
  const std::string advice =
      "; resume with the options it was started with, or reset Network::training to begin a new run from its weights";
  const auto refusal = [&](const std::string& text) { return message([&] { train(net, few(), averaged(text)); }); };
  EXPECT_EQ(refusal(""), R"(the checkpoint was trained with average="ema:0.9", not "")" + advice);
  EXPECT_EQ(refusal("ema:0.99"), R"(the checkpoint was trained with average="ema:0.9", not "ema:0.99")" + advice);
  Network other = with_statistics();
  auto usual = quick();
  usual.on_step = options.on_step;
  train(other, few(), usual);
  EXPECT_EQ(message([&] { train(other, few(), averaged("swa:1")); }),
            R"(the checkpoint was trained with average="", not "swa:1")" + advice);
}

TEST(Averages, ACheckpointWithoutTheWeightsThatAreTrainedIsRefused) {
  auto options = averaged("ema:0.9");
  options.on_step = [](const Progress&) { request_stop(); };
  Network net = fresh();
  train(net, few(), options);
  Network damaged = network(kNet, data().train.sample);
  damaged.training = net.training;
  Graph states;
  for (const auto& [name, tensor] : net.variables().all()) {
    if (name != "dense1.weight.raw") (void)states.parameter(name, tensor.shape());
  }
  damaged.variables().add(states, 1);
  EXPECT_EQ(message([&] { Trainer(damaged, few(), averaged("ema:0.9")); }),
            "the checkpoint has no dense1.weight.raw, which it needs to go on; resume from another checkpoint");
}

TEST(Averages, ThatNothingEntersAreRefused) {
  const auto refusal = [&](const std::string& text) {
    Network net = fresh();
    return message([&] { train(net, few(), averaged(text)); });  // 3 epochs
  };
  const auto needs = [](const std::string& text, int epochs) {
    return "average \"" + text + "\" needs " + std::to_string(epochs) +
           " epochs before anything is averaged, and the run has 3; give it more of them, or begin earlier";
  };
  EXPECT_EQ(refusal("swa:3"), needs("swa:3", 4));
  EXPECT_EQ(refusal("swa:2,every=2"), needs("swa:2,every=2", 4));
  EXPECT_EQ(refusal("ema:0.9,from=3"), needs("ema:0.9,from=3", 4));
  EXPECT_EQ(refusal("swa:2"), "no error");
  EXPECT_EQ(refusal("ema:0.9,from=2"), "no error");
}

// The average is finite for a long time after the weights have grown too large.
TEST(Averages, ALossThatIsNotFiniteNamesTheLayerOfTheWeightsThatAreTrained) {
  const auto error_with = [&](const std::string& text, std::int64_t steps = 0) {
    Network net = network("20n-relu-20n-relu-10n", data().train.sample);
    auto options = averaged(text);
    options.optimizer = sgd({.lr = 1e20});
    options.lookahead = {.steps = steps, .alpha = 1e-3};
    const auto said = message([&] { train(net, few(), options); });
    EXPECT_TRUE(net.training->diverged);
    for (const auto& [name, tensor] : net.variables().all()) {
      for (const float value : tensor.values()) EXPECT_TRUE(std::isfinite(value)) << name;
    }
    return said;
  };
  const auto without = error_with("");
  EXPECT_NE(without.find("the first value that is not is in the layer "), std::string::npos) << without;
  EXPECT_EQ(error_with("ema:0.999999"), without);
  EXPECT_EQ(error_with("swa:0"), without);
  EXPECT_EQ(error_with("", 100), without) << "of the fast weights";
  EXPECT_EQ(error_with("swa:0", 100), without) << "of the fast weights";
}

TEST(Averages, AnUpdateThatIsNotFiniteNamesTheNetworksParameter) {
  const auto error_with = [](const std::string& average, std::int64_t steps) {
    Network net = network("10n", data().train.sample);
    auto options = averaged(average);
    options.optimizer = sgd({.lr = 3e38, .momentum = 0});
    options.lookahead = {.steps = steps};
    Dataset bright = few();
    for (auto& scale : bright.scale) scale *= 100;  // the gradient is more than 1
    const auto before = net.weights_sha256();
    const auto said = message([&] { train(net, bright, options); });
    EXPECT_EQ(net.weights_sha256(), before);
    return said;
  };
  const auto without = error_with("", 0);
  EXPECT_NE(without.find("its gradient are finite, but dense1.weight would become inf; use a smaller lr"),
            std::string::npos)
      << without;
  EXPECT_EQ(error_with("ema:0.9", 0), without);
  EXPECT_EQ(error_with("swa:0", 2), without);
  EXPECT_EQ(error_with("", 5), without);
}

}  // namespace
}  // namespace chalk
