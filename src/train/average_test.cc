// Averages of weights: against PyTorch's numbers (tools/average_trajectories.py), beside a run without them, after
// interruptions, and with all that looks at a network's weights.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "chalkgrad/ops.h"
#include "src/ir/leaves.h"
#include "src/passes/rewrite.h"
#include "src/run/reference.h"
#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr int kSamples = 6;
constexpr double kBound = 1e-12;      // of double
constexpr double kFloatBound = 1e-6;  // of float, over as many steps

using Values = std::map<std::string, std::vector<double>>;

// In the order of tests/averages/pytorch.txt; the first five are trained.
const std::vector<std::string> kNames{"dense1.weight",          "batch_norm1.weight", "batch_norm1.bias",
                                      "dense2.weight",          "dense2.bias",        "batch_norm1.running_mean",
                                      "batch_norm1.running_var"};
constexpr std::size_t kTrained = 5;

/// A line of tests/averages/pytorch.txt.
struct Case {
  std::string text;
  Average average{};
  std::int64_t steps = 0;
  std::vector<double> values{};
};

std::vector<Case> recorded() {
  std::vector<Case> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/averages/pytorch.txt");
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    std::istringstream head(line), body(line.substr(line.find(" : ") + 3));
    Case one;
    head >> one.text >> one.steps;
    one.average = Average::parse(one.text);
    for (double value = 0; body >> value;) one.values.push_back(value);
    EXPECT_EQ(one.values.size(), 38U) << one.text;
    all.push_back(std::move(one));
  }
  EXPECT_GE(all.size(), 12U);
  return all;
}

Network recorded_network() { return network("4n-bn-tanh-2n", {3}); }

std::vector<double> first_values(int parameter, std::size_t count) {
  std::vector<double> values;
  for (std::size_t j = 0; j < count; ++j)
    values.push_back((5 * static_cast<int>(j) + 3 * parameter + 2) % 13 / 6.0 - 1);
  return values;
}

std::vector<double> samples() {
  std::vector<double> x;
  for (int i = 0; i < kSamples; ++i) {
    for (int k = 0; k < 3; ++k) x.push_back((7 * i + 3 * k) % 11 / 5.0 - 1);
  }
  return x;
}

Values first_values() {
  Values first{{"batch_norm1.running_mean", std::vector<double>(4, 0)},
               {"batch_norm1.running_var", std::vector<double>(4, 1)}};
  const Network net = recorded_network();
  for (std::size_t k = 0; k < kTrained; ++k) {
    const auto count = static_cast<std::size_t>(elements(net.variables().at(kNames[k]).shape()));
    first[kNames[k]] = first_values(static_cast<int>(k), count);
  }
  return first;
}

TrainOptions options_for(const Average& average, std::int64_t steps) {
  return {.epochs = steps,
          .batch = kSamples,
          .optimizer = sgd({.lr = 0.1, .momentum = 0.9}),
          .average = average,
          .threads = 1};
}

/// The run's averages, computed by the double reference from its graph, which `change` may have changed.
Values averages(const Case& one, const std::function<Graph(const Graph&)>& change = nullptr) {
  const auto step = training_graph(recorded_network(), {2}, /*labels=*/true, options_for(one.average, one.steps));
  Graph graph = change ? change(step.graph) : step.graph;
  Reference reference(graph, kSamples);
  Values now = first_values();
  for (const auto& [name, copy] : step.copies) now[copy] = now.at(name);
  for (const auto& name : step.states) {
    if (!now.contains(name)) now[name].assign(static_cast<std::size_t>(elements(graph.find(name).shape())), 0);
  }
  std::vector<double> labels;
  for (int i = 0; i < kSamples; ++i) labels.insert(labels.end(), {i % 2 == 0 ? 1.0 : 0.0, i % 2 == 0 ? 0.0 : 1.0});
  for (std::int64_t i = 0; i < one.steps; ++i) {
    for (const auto& [name, values] : now) reference.set(graph.find(name).id(), values);
    reference.set(graph.find("x").id(), samples());
    reference.set(graph.find("t").id(), labels);
    reference.set(graph.find("lr").id(), {0.1});
    reference.set(graph.find(kAverageShare).id(), {one.average.share(i, 1)});
    reference.set(graph.find(kAverageBegun).id(), {one.average.begun(i, 1) ? 1.0 : 0.0});
    reference.run();
    for (const auto& [leaf, next] : graph.updates()) now[graph.node(leaf).name] = reference.value(next);
  }
  return now;
}

/// The largest difference from PyTorch's numbers, of the first so many variables.
double difference(const Case& one, const Values& values, std::size_t names) {
  double largest = 0;
  std::size_t at = 0;
  for (std::size_t k = 0; k < names; ++k) {
    for (const double value : values.at(kNames[k])) {
      const double wanted = one.values.at(at++), off = std::abs(value - wanted) / (1 + std::abs(wanted));
      largest = std::isnan(off) ? 1 : std::max(largest, off);
    }
  }
  return largest;
}

/// Without the running statistics where they are measured apart from the graph.
std::size_t names_in_graph(const Case& one) { return one.average.name() == Ema::kName ? kNames.size() : kTrained; }

TEST(Averages, AreThoseOfPyTorch) {
  for (const auto& one : recorded())
    EXPECT_LT(difference(one, averages(one), names_in_graph(one)), kBound) << one.text << ", steps " << one.steps;
}

Dataset recorded_data() {
  Dataset data;
  data.name = "recorded";
  data.sample = {3};
  data.class_names = {"a", "b"};
  for (const double x : samples()) data.values.push_back(static_cast<float>(x));
  for (int i = 0; i < kSamples; ++i) data.labels.push_back(i % 2);
  return data;
}

TEST(Averages, OfARunInFloatAreThoseOfPyTorchWithTheRunningStatistics) {
  const auto data = recorded_data();
  for (const auto& one : recorded()) {
    Network net = recorded_network();
    for (const auto& [name, values] : first_values()) {
      const std::vector<float> floats(values.begin(), values.end());
      net.variables().at(name).assign(floats);
    }
    train(net, data, options_for(one.average, one.steps));
    Values found;
    for (const auto& name : kNames) {
      const auto values = net.variables().at(name).values();
      found[name] = {values.begin(), values.end()};
    }
    EXPECT_LT(difference(one, found, kNames.size()), kFloatBound) << one.text << ", steps " << one.steps;
  }
}

/// The graph with the operands at these places exchanged in all nodes of that operation that make averages.
std::function<Graph(const Graph&)> exchanged(std::string_view operation, std::size_t i, std::size_t k) {
  return [=](const Graph& graph) {
    Rewriter r(graph);
    int changed = 0;
    for (NodeId id = 0; id < graph.size(); ++id) {
      Node node = r.translated(id);
      if (node.layer == "average" && node.op->name.value == operation)
        std::swap(node.inputs[i], node.inputs[k]), ++changed;
      r.map(id, r.append(std::move(node)));
    }
    EXPECT_GT(changed, 0) << operation;
    return r.finish();
  };
}

/// The graph in which averages move towards the weights before the step instead of those after it.
Graph one_step_late(const Graph& graph) {
  std::map<NodeId, NodeId> weight_of;
  for (const auto& [leaf, next] : graph.updates()) weight_of[next] = leaf;
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    for (auto& input : node.inputs) {
      const auto found = weight_of.find(input);
      input = r.mapped(node.layer == "average" && found != weight_of.end() ? found->second : input);
    }
    r.map(id, r.append(std::move(node)));
  }
  return r.finish();
}

TEST(Averages, ACorruptedRuleIsNoticed) {
  const std::vector<std::pair<std::string, std::function<Graph(const Graph&)>>> changes{
      {"the average where there is none yet", exchanged("select", 1, 2)},
      {"away from the weights", exchanged("sub", 0, 1)},
      {"one step late", one_step_late}};
  for (const auto& [what, change] : changes) {
    int noticed = 0;
    for (const auto& one : recorded())
      noticed += difference(one, averages(one, change), kTrained) > 1e4 * kBound ? 1 : 0;
    EXPECT_GE(noticed, 8) << what;
  }
}

TEST(Averages, AChangeOfEachParameterIsNoticed) {
  std::map<std::string, int> noticed;
  for (const auto& one : recorded()) {
    std::vector<std::string> fields;
    FieldFunction collect([&](const Field& field, const auto&) { fields.emplace_back(field.name); });
    one.average.parameters().show(collect);
    for (const auto& name : fields) {
      Case other = one;
      other.average = Average::parse(
          name == "decay"                    ? "ema:" + std::to_string(one.average.parameters().as<Ema>().decay * 0.999)
          : one.average.name() == Ema::kName ? one.text + (one.text.find("from") == std::string::npos ? ",from=1" : "1")
          : name == "from"                   ? "swa:1" + one.text.substr(4)
                                             : one.text.substr(0, 5) + ",every=2");
      noticed[std::string(one.average.name()) + " " + name] +=
          difference(one, averages(other), kTrained) > 1e4 * kBound ? 1 : 0;
    }
  }
  for (const char* field : {"ema decay", "ema from", "swa from", "swa every"}) EXPECT_GE(noticed[field], 2) << field;
}

// A network with running statistics and noise, and the averages that treat them differently.

constexpr const char* kNetWithStatistics = "6c3-bn-relu-mp2-drop0.2-20n-relu-10n";

Network with_statistics() {
  Network net = network(kNetWithStatistics, data().train.sample);
  net.initialize(1);
  return net;
}

/// Eight steps an epoch, the last of which has 38 samples.
TrainOptions plain() {
  auto options = quick();
  options.batch = 200;
  return options;
}

TrainOptions averaged(const std::string& text) {
  auto options = plain();
  options.average = Average::parse(text);
  return options;
}

const std::vector<std::string> kAverages{"ema:0.9", "ema:0.99,from=1", "swa:0", "swa:1", "swa:1,every=2"};

std::vector<float> values_of(const Network& net, const std::string& name) {
  const auto values = net.variables().at(name).values();
  return {values.begin(), values.end()};
}

TEST(Averages, LeaveTheWeightsThatAreTrainedAndTheOptimizersStateAsTheyAre) {
  Network without = with_statistics();
  train(without, data().train, plain());
  for (const auto& text : kAverages) {
    Network net = with_statistics();
    train(net, data().train, averaged(text));
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
      auto options = seen == &with ? averaged(text) : plain();
      options.on_epoch = [&](const Progress&) { seen->push_back(net.weights_sha256()); };
      train(net, data().train, options);
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

TEST(Averages, AreTheSameBitsOnAnyNumberOfThreadsAndAfterAResume) {
  for (const auto& text : kAverages) {
    auto options = averaged(text);
    Network whole = with_statistics();
    train(whole, data().train, options);
    for (const std::int64_t stop_after : {1, 8, 9, 16, 21}) {
      options.threads = static_cast<int>(1 + stop_after % 4);
      options.checkpoint = temporary("averaged.safetensors");
      options.on_step = [&](const Progress& progress) {
        if (progress.step == stop_after) request_stop();
      };
      Network net = with_statistics();
      EXPECT_TRUE(train(net, data().train, options).stopped);
      Network again = Network::load(options.checkpoint);
      EXPECT_EQ(again.weights_sha256(), net.weights_sha256()) << "a checkpoint holds the averages";
      options.on_step = nullptr;
      train(again, data().train, options);
      EXPECT_EQ(again.weights_sha256(), whole.weights_sha256()) << text << ", stopped after " << stop_after;
      EXPECT_EQ(all_variables_sha(again), all_variables_sha(whole)) << text << ", stopped after " << stop_after;
      fs::remove(options.checkpoint);
    }
  }
}

TEST(Averages, WorkWithEveryOptimizer) {
  for (const auto name : Optimizer::names()) {
    auto options = averaged("ema:0.9");
    options.epochs = 1;
    options.optimizer = Optimizer::named(name);
    auto without = options;
    without.average = {};
    Network net = fresh(), usual = fresh();
    train(net, data().train, options);
    train(usual, data().train, without);
    EXPECT_EQ(values_of(net, "dense1.weight.raw"), values_of(usual, "dense1.weight")) << name;
    EXPECT_NE(values_of(net, "dense1.weight"), values_of(usual, "dense1.weight")) << name;
  }
}

TEST(Averages, OfFrozenParametersAreThemselves) {
  auto options = averaged("ema:0.9");
  options.groups = {{.pattern = "conv*", .frozen = true}};
  Network net = with_statistics();
  const auto before = values_of(net, "conv1.weight");
  train(net, data().train, options);
  EXPECT_EQ(values_of(net, "conv1.weight"), before);
  EXPECT_FALSE(net.variables().contains("conv1.weight.raw"));
  EXPECT_TRUE(net.variables().contains("batch_norm1.running_mean.raw"));
}

TEST(Averages, OfEpochsHaveStatisticsMeasuredOverAllBatches) {
  auto options = averaged("swa:1");
  options.batch = 719;  // two batches of one size: the mean of their means is that of all samples
  Network net = network("6c3-bn-relu-10n", data().train.sample);
  net.initialize(1);
  train(net, data().train, options);
  // The mean of what the convolution makes, over samples and places.
  Graph graph;
  const Value x = graph.input("x", data().train.sample);
  const Value w = graph.parameter("conv1.weight", net.variables().at("conv1.weight").shape());
  graph.output("mean", batch_sum(mean(conv2d(x, w), {1, 2})) / graph.batch_size());
  Program program(graph, net.variables());
  program.feed(
      "x",
      {.bytes = data().train.bytes.data(), .scale = data().train.scale.data(), .shift = data().train.shift.data()});
  program.run(data().train.size());
  const auto found = values_of(net, "batch_norm1.running_mean");
  for (std::size_t c = 0; c < found.size(); ++c) EXPECT_NEAR(program.output("mean")[c], found[c], 1e-6) << c;
  EXPECT_NE(found, values_of(net, "batch_norm1.running_mean.raw"));
}

TEST(Averages, AreWhatValidationMeasuresAndKeeps) {
  const Split parts = hold_out(data().train, 0.2);
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
    train(net, data().train, averaged(text));
    train(without, data().train, plain());
    const auto file = temporary("to_train_further.safetensors");
    net.save(file);
    Network loaded = Network::load(file);
    EXPECT_TRUE(has_raw_weights(loaded)) << text;
    for (Network* one : {&net, &loaded, &without}) {
      begin_anew(*one);
      EXPECT_FALSE(one->training) << text;
      EXPECT_EQ(one->weights_sha256(), without.weights_sha256()) << text;
    }
    train(loaded, data().train, plain());
    train(without, data().train, plain());
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
  train(net, data().train, options);
  const std::string advice =
      "; resume with the options it was started with, or reset Network::training to begin a new run from its weights";
  const auto refusal = [&](const std::string& text) {
    return message([&] { train(net, data().train, averaged(text)); });
  };
  EXPECT_EQ(refusal(""), R"(the checkpoint was trained with average="ema:0.9", not "")" + advice);
  EXPECT_EQ(refusal("ema:0.99"), R"(the checkpoint was trained with average="ema:0.9", not "ema:0.99")" + advice);
  Network other = with_statistics();
  auto usual = plain();
  usual.on_step = options.on_step;
  train(other, data().train, usual);
  EXPECT_EQ(message([&] { train(other, data().train, averaged("swa:1")); }),
            R"(the checkpoint was trained with average="", not "swa:1")" + advice);
}

TEST(Averages, ACheckpointWithoutTheWeightsThatAreTrainedIsRefused) {
  auto options = averaged("ema:0.9");
  options.on_step = [](const Progress&) { request_stop(); };
  Network net = fresh();
  train(net, data().train, options);
  Network damaged = network(kNet, data().train.sample);
  damaged.training = net.training;
  Graph states;
  for (const auto& [name, tensor] : net.variables().all()) {
    if (name != "dense1.weight.raw") (void)states.parameter(name, tensor.shape());
  }
  damaged.variables().add(states, 1);
  EXPECT_EQ(message([&] { Trainer(damaged, data().train, averaged("ema:0.9")); }),
            "the checkpoint has no dense1.weight.raw, which it needs to go on; resume from another checkpoint");
}

TEST(Averages, ThatNothingEntersAreRefused) {
  const auto refusal = [&](const std::string& text) {
    Network net = fresh();
    return message([&] { train(net, data().train, averaged(text)); });  // 3 epochs
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
  const auto error_with = [&](const std::string& text) {
    Network net = network("20n-relu-20n-relu-10n", data().train.sample);
    auto options = averaged(text);
    options.optimizer = sgd({.lr = 1e20});
    const auto said = message([&] { train(net, data().train, options); });
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
}

}  // namespace
}  // namespace chalk
