// Gradients that are limited before the optimizer sees them, and what L1 adds: against PyTorch's numbers
// (tools/network_trajectories.py), in float on any number of threads, and when they cannot be limited.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "src/ir/leaves.h"
#include "src/run/reference.h"
#include "src/train/recorded_testing.h"
#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr int kSteps = 6;

/// A line of tests/optimizers/networks.txt.
struct LimitsCase {
  std::string text;
  TrainOptions options{};
  double scale = 1;
  std::vector<double> parameters{};
};

std::vector<LimitsCase> recorded_limits() {
  std::vector<LimitsCase> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/optimizers/networks.txt");
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    LimitsCase one{.text = line.substr(0, line.find(" :"))};
    std::istringstream head(one.text), body(line.substr(line.find(':') + 1));
    one.options.optimizer = sgd({.lr = 0.1});
    std::map<std::string, std::string> given;
    for (std::string word; head >> word;) given[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    if (const auto scale = given.extract("scale")) one.scale = std::stod(scale.mapped());
    FieldFunction set([&]<class T>(const Field& field, T& value) {
      const auto found = given.extract(std::string(field.name));
      if constexpr (std::is_arithmetic_v<T>) {
        if (found) std::istringstream(found.mapped()) >> value;
      }
    });
    one.options.visit(set);
    EXPECT_TRUE(given.empty()) << one.text << ": an option that there is not";
    for (double value = 0; body >> value;) one.parameters.push_back(value);
    EXPECT_EQ(one.parameters.size(), 26U) << one.text;
    all.push_back(std::move(one));
  }
  EXPECT_GT(all.size(), 5U);
  return all;
}

/// All parameters after the steps, by the double reference.
std::vector<double> trained(const TrainOptions& options, double scale) {
  const Network net = network("4n-tanh-2n", {3});
  const auto step = training_graph(net, {2}, /*labels=*/true, options);
  Graph graph = step.graph;
  Reference reference(graph, kRecordedSamples);
  std::map<NodeId, std::vector<double>> now;
  const auto parameters = graph.parameters();
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op == &op_parameter)
      now[id].assign(static_cast<std::size_t>(elements(graph.node(id).type.shape)), 0);
  }
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    auto& values = now[parameters[k].id()];
    values = recorded_values(static_cast<int>(k), values.size());
  }
  for (int i = 0; i < kSteps; ++i) {
    for (const auto& [id, values] : now) reference.set(id, values);
    reference.set(graph.find("x").id(), recorded_samples(scale));
    reference.set(graph.find("t").id(), recorded_labels());
    reference.set(graph.find("lr").id(), {options.optimizer.lr()});
    reference.run();
    for (const auto& [leaf, next] : graph.updates()) now[leaf] = reference.value(next);
  }
  std::vector<double> all;
  for (const auto& parameter : parameters)
    all.insert(all.end(), now[parameter.id()].begin(), now[parameter.id()].end());
  return all;
}

double difference(const LimitsCase& recorded, const TrainOptions& options) {
  const auto values = trained(options, recorded.scale);
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = std::abs(values[i] - recorded.parameters[i]) / (1 + std::abs(recorded.parameters[i]));
    largest = std::isnan(off) ? 1 : std::max(largest, off);
  }
  return largest;
}

TEST(Limits, LeadToPyTorchsNumbers) {
  for (const auto& one : recorded_limits()) EXPECT_LT(difference(one, one.options), kRecordedBound) << one.text;
}

TEST(Limits, AWrongOneIsNoticed) {
  int noticed = 0;
  for (const auto& one : recorded_limits()) {
    for (double TrainOptions::*option : {&TrainOptions::clip_value, &TrainOptions::clip_norm, &TrainOptions::l1}) {
      if (one.options.*option == 0 || one.options.*option == 100) continue;
      for (const double factor : {0.0, 0.999, 1.001}) {
        auto options = one.options;
        options.*option *= factor;
        if (option == &TrainOptions::clip_value && factor > 0.99 && options.clip_norm > 0) continue;  // norm decides
        EXPECT_GT(difference(one, options), 1e4 * kRecordedBound) << one.text << ", times " << factor;
        ++noticed;
      }
    }
  }
  EXPECT_GE(noticed, 20);
}

TEST(Limits, GiveTheSameBitsOnAnyNumberOfThreadsAndAfterAResume) {
  const AllIsShared shared;
  auto options = quick();
  options.epochs = 2;
  const auto without = trained_sha(options, few());
  options.clip_value = 0.02;
  const auto by_value = trained_sha(options, few());
  options.clip_norm = 0.3;
  options.l1 = 1e-4;
  const auto expected = trained_sha(options, few());
  EXPECT_NE(by_value, without);
  EXPECT_NE(expected, by_value);
  for (const int threads : {1, 2, 3, 4}) {
    options.threads = threads;
    options.checkpoint = temporary("limited.safetensors");
    options.on_step = [&](const Progress& progress) {
      EXPECT_GT(progress.gradient_norm, 0);
      if (progress.step == 11) request_stop();
    };
    Network net = fresh();
    EXPECT_TRUE(train(net, few(), options).stopped);
    Network again = Network::load(options.checkpoint);
    EXPECT_EQ(checkpoint_options(again).clip_norm, 0.3);
    auto other = options;
    other.clip_norm = 0;
    EXPECT_TRUE(message([&] {
                  train(again, few(), other);
                }).starts_with("the checkpoint was trained with clip_norm=0.3, not 0.0; resume with"));
    options.on_step = nullptr;
    train(again, few(), options);
    EXPECT_EQ(again.weights_sha256(), expected) << threads;
    fs::remove(options.checkpoint);
  }
}

TEST(Limits, WorkWithEveryOptimizer) {
  for (const auto name : Optimizer::names()) {
    auto options = quick();
    options.epochs = 1;
    options.optimizer = Optimizer::named(name);
    const auto without = trained_sha(options, few());
    options.clip_value = 1e-3;
    options.clip_norm = 1e-2;
    options.l1 = 1e-3;
    EXPECT_NE(trained_sha(options, few()), without) << name;
  }
}

TEST(Limits, OfNoEffectLeaveTheBitsAlone) {
  auto options = quick();
  options.epochs = 1;
  const auto without = trained_sha(options, few());
  options.clip_value = 1e6;
  options.clip_norm = 1e6;
  EXPECT_EQ(trained_sha(options, few()), without);
}

/// Samples of five numbers, of which `bad` is in the middle of the eighteenth.
Dataset some_numbers(float bad) {
  Dataset numbers;
  numbers.name = "numbers";
  numbers.sample = {5};
  numbers.class_names = {"a", "b", "c"};
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 5; ++k) numbers.values.push_back(0.5F + 0.01F * static_cast<float>((i * 7 + k * 3) % 50));
    numbers.labels.push_back(i % 3);
  }
  numbers.values[17 * 5 + 2] = bad;
  return numbers;
}

TEST(Limits, ANormThatIsNotFiniteNamesTheLayerAndTakesNoStep) {
  constexpr const char* kRoot =
      "[[parameter]]\nname = \"w\"\nshape = [5]\ninit = 1\n[[layer]]\ntype = \"mul\"\nfrom = [\"x\", \"w\"]\n"
      "[[layer]]\nname = \"root\"\ntype = \"sqrt\"\n[[layer]]\nchain = \"3n\"\n";
  const auto numbers = some_numbers(0);
  for (const int threads : {1, 2, 3}) {
    Network net = network(kRoot, {5});
    const auto before = net.weights_sha256();
    TrainOptions options{.epochs = 2, .batch = 40, .clip_norm = 1, .threads = threads};
    EXPECT_THAT(
        message([&] { train(net, numbers, options); }),
        testing::MatchesRegex("step 1 \\(epoch 1\\): the loss is finite \\([0-9.]+\\), but its gradient is not; "
                              "the first value that is not is in the derivative of the layer root \\(inf\\) for "
                              "sample 17; no step has been taken yet: begin with other weights or smaller "
                              "samples, or keep what enters the layer away from there"));
    EXPECT_EQ(net.weights_sha256(), before);
    EXPECT_TRUE(net.training->diverged);
    EXPECT_EQ(net.training->step, 0);
  }
}

TEST(Limits, ANormThatOverflowsIsNoStepOfLengthZero) {  // as it is in PyTorch
  auto numbers = some_numbers(1);
  for (auto& value : numbers.values) value *= 1e21F;
  Network net = network("3n", {5});
  for (auto& value : net.variables().at("dense1.weight").values()) value = 0;
  const auto before = net.weights_sha256();
  TrainOptions options{.epochs = 1, .batch = 40, .clip_norm = 1};
  EXPECT_THAT(message([&] { train(net, numbers, options); }),
              testing::MatchesRegex("step 1 \\(epoch 1\\): the loss \\([0-9.]+\\) and its gradient are finite, but the "
                                    "gradient's norm, which clip_norm limits, is too large for float; no step has been "
                                    "taken yet: begin with other weights or smaller samples"));
  EXPECT_EQ(net.weights_sha256(), before);
}

}  // namespace
}  // namespace chalk
