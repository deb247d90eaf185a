// Averages of weights, and Lookahead, against PyTorch's numbers (tools/average_trajectories.py), and whether a wrong
// rule would be noticed.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "src/ir/leaves.h"
#include "src/passes/rewrite.h"
#include "src/run/reference.h"
#include "src/train/recorded_testing.h"
#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr double kFloatBound = 1e-6;  // over as many steps as in double

using Values = std::map<std::string, std::vector<double>>;

// In the order of tests/averages/pytorch.txt; the first five are trained.
const std::vector<std::string> kNames{"dense1.weight",          "batch_norm1.weight", "batch_norm1.bias",
                                      "dense2.weight",          "dense2.bias",        "batch_norm1.running_mean",
                                      "batch_norm1.running_var"};
constexpr std::size_t kTrained = 5;

/// A line of tests/averages/pytorch.txt.
struct AverageCase {
  std::string text;
  TrainOptions options{};  // a step is an epoch
  std::vector<double> values{};

  std::int64_t steps() const { return options.epochs; }
};

std::vector<AverageCase> recorded_averages() {
  std::vector<AverageCase> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/averages/pytorch.txt");
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    AverageCase one{.text = line.substr(0, line.find(" : "))};
    std::istringstream head(one.text), body(line.substr(line.find(" : ") + 3));
    one.options.batch = kRecordedSamples;
    one.options.threads = 1;
    one.options.optimizer = sgd({.lr = 0.1, .momentum = 0.9});
    for (std::string word; head >> word;) {
      const auto key = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
      if (key == "steps") one.options.epochs = std::stoll(value);
      if (key == "average") one.options.average = Average::parse(value);
      if (key == "lookahead") one.options.lookahead = Lookahead::parse(value);
      if (key == "optimizer") one.options.optimizer = Adam{.lr = 0.05};
    }
    for (double value = 0; body >> value;) one.values.push_back(value);
    EXPECT_EQ(one.values.size(), 38U) << one.text;
    all.push_back(std::move(one));
  }
  EXPECT_GE(all.size(), 20U);
  return all;
}

Network recorded_network() { return network("4n-bn-tanh-2n", {3}); }

Values first_values() {
  Values first{{"batch_norm1.running_mean", std::vector<double>(4, 0)},
               {"batch_norm1.running_var", std::vector<double>(4, 1)}};
  const Network net = recorded_network();
  for (std::size_t k = 0; k < kTrained; ++k) {
    const auto count = static_cast<std::size_t>(elements(net.variables().at(kNames[k]).shape()));
    first[kNames[k]] = recorded_values(static_cast<int>(k), count);
  }
  return first;
}

/// What the network has after the run, computed by the double reference from its graph, which `change` may have
/// changed.
Values trained(const AverageCase& one, const std::function<Graph(const Graph&)>& change = nullptr) {
  const auto step = training_graph(recorded_network(), {2}, /*labels=*/true, one.options);
  Graph graph = change ? change(step.graph) : step.graph;
  Reference reference(graph, kRecordedSamples);
  Values now = first_values();
  for (const auto& [name, copy] : step.copies) now[copy] = now.at(name);
  for (const auto& name : step.states) {
    if (!now.contains(name)) now[name].assign(static_cast<std::size_t>(elements(graph.find(name).shape())), 0);
  }
  for (std::int64_t i = 0; i < one.steps(); ++i) {
    for (const auto& [name, values] : now) reference.set(graph.find(name).id(), values);
    reference.set(graph.find("x").id(), recorded_samples());
    reference.set(graph.find("t").id(), recorded_labels());
    const auto& o = one.options;
    reference.set(graph.find("lr").id(), {o.optimizer.lr()});
    for (const auto& scalar : step.scalars)
      reference.set(graph.find(scalar.name).id(), {scalar.value(o.optimizer.options(), i)});
    if (o.lookahead) reference.set(graph.find(kLookaheadPull).id(), {o.lookahead.pull(i)});
    if (o.average) reference.set(graph.find(kAverageShare).id(), {o.average.share(i, 1)});
    if (o.average) reference.set(graph.find(kAverageBegun).id(), {o.average.begun(i, 1) ? 1.0 : 0.0});
    reference.run();
    for (const auto& [leaf, next] : graph.updates()) now[graph.node(leaf).name] = reference.value(next);
  }
  return now;
}

/// The largest difference from PyTorch's numbers, of the first so many variables.
double difference(const AverageCase& one, const Values& values, std::size_t names) {
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
std::size_t names_in_graph(const AverageCase& one) {
  return one.options.average.name() == Swa::kName ? kTrained : kNames.size();
}

TEST(RecordedAverages, AreThoseOfPyTorch) {
  for (const auto& one : recorded_averages())
    EXPECT_LT(difference(one, trained(one), names_in_graph(one)), kRecordedBound) << one.text;
}

Dataset recorded_data() {
  Dataset data;
  data.name = "recorded";
  data.sample = {3};
  data.class_names = {"a", "b"};
  for (const double x : recorded_samples()) data.values.push_back(static_cast<float>(x));
  for (int i = 0; i < kRecordedSamples; ++i) data.labels.push_back(i % 2);
  return data;
}

TEST(RecordedAverages, OfARunInFloatAreThoseOfPyTorchWithTheRunningStatistics) {
  const auto data = recorded_data();
  for (const auto& one : recorded_averages()) {
    Network net = recorded_network();
    for (const auto& [name, values] : first_values()) {
      const std::vector<float> floats(values.begin(), values.end());
      net.variables().at(name).assign(floats);
    }
    train(net, data, one.options);
    Values found;
    for (const auto& name : kNames) {
      const auto values = net.variables().at(name).values();
      found[name] = {values.begin(), values.end()};
    }
    EXPECT_LT(difference(one, found, kNames.size()), kFloatBound) << one.text;
  }
}

using Change = std::function<Graph(const Graph&)>;

/// The graph with the operands at these places exchanged in all nodes of that layer and operation.
Change exchanged(std::string_view layer, std::string_view operation, std::size_t i, std::size_t k) {
  return [=](const Graph& graph) {
    Rewriter r(graph);
    int changed = 0;
    for (NodeId id = 0; id < graph.size(); ++id) {
      Node node = r.translated(id);
      if (node.layer == layer && node.op->name.value == operation) std::swap(node.inputs[i], node.inputs[k]), ++changed;
      r.map(id, r.append(std::move(node)));
    }
    EXPECT_GT(changed, 0) << operation;
    return r.finish();
  };
}

/// The graph in which what that layer makes moves towards the weights before the step instead of those after it.
Change one_step_late(std::string_view layer) {
  return [=](const Graph& graph) {
    std::map<NodeId, NodeId> weight_of;
    for (const auto& [leaf, next] : graph.updates()) weight_of[next] = leaf;
    Rewriter r(graph);
    for (NodeId id = 0; id < graph.size(); ++id) {
      Node node = graph.node(id);
      for (auto& input : node.inputs) {
        const auto found = weight_of.find(input);
        input = r.mapped(node.layer == layer && found != weight_of.end() ? found->second : input);
      }
      r.map(id, r.append(std::move(node)));
    }
    return r.finish();
  };
}

/// The graph in which the fast weights go on as if there were no pull.
Graph never_reset(const Graph& graph) {
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const bool resets = node.layer == kLookaheadLayer && node.op->name.value == "select";
    r.map(id, resets ? r.mapped(node.inputs[2]) : r.append(r.translated(id)));
  }
  return r.finish();
}

TEST(RecordedAverages, ACorruptedRuleIsNoticed) {
  struct Wrong {
    std::string what, layer;
    Change change;
  };
  const std::vector<Wrong> all{
      {"the average where there is none yet", kAverageLayer, exchanged(kAverageLayer, "select", 1, 2)},
      {"averages away from the weights", kAverageLayer, exchanged(kAverageLayer, "sub", 0, 1)},
      {"averages one step late", kAverageLayer, one_step_late(kAverageLayer)},
      {"slow weights where fast ones should be", kLookaheadLayer, exchanged(kLookaheadLayer, "select", 1, 2)},
      {"slow weights away from the fast ones", kLookaheadLayer, exchanged(kLookaheadLayer, "sub", 0, 1)},
      {"fast weights that are not reset", kLookaheadLayer, never_reset}};
  for (const auto& wrong : all) {
    int noticed = 0;
    for (const auto& one : recorded_averages()) {
      const bool has_it = wrong.layer == kAverageLayer ? bool(one.options.average) : bool(one.options.lookahead);
      if (has_it && difference(one, trained(one, wrong.change), kTrained) > 1e4 * kRecordedBound) ++noticed;
    }
    EXPECT_GE(noticed, 6) << wrong.what;
  }
}

TEST(RecordedAverages, AChangeOfEachParameterIsNoticed) {
  std::map<std::string, int> noticed;
  const auto compare = [&](const std::string& what, const AverageCase& one, const auto& change) {
    AverageCase other = one;
    change(other.options);
    noticed[what] += difference(one, trained(other), kTrained) > 1e4 * kRecordedBound ? 1 : 0;
  };
  for (const auto& one : recorded_averages()) {
    if (one.options.average.name() == Ema::kName) {
      const auto ema = one.options.average.parameters().as<Ema>();
      compare("decay", one, [&](TrainOptions& o) { o.average = Ema{ema.decay * 0.999, ema.from}; });
      compare("from", one, [&](TrainOptions& o) { o.average = Ema{ema.decay, ema.from + 1}; });
    } else if (one.options.average) {
      const auto swa = one.options.average.parameters().as<Swa>();
      compare("from of swa", one, [&](TrainOptions& o) { o.average = Swa{swa.from + 1, swa.every}; });
      compare("every", one, [&](TrainOptions& o) { o.average = Swa{swa.from, swa.every + 1}; });
    }
    if (!one.options.lookahead) continue;
    compare("steps", one, [&](TrainOptions& o) { ++o.lookahead.steps; });
    compare("alpha", one, [&](TrainOptions& o) { o.lookahead.alpha *= 0.999; });
  }
  for (const char* field : {"decay", "from", "from of swa", "every", "steps", "alpha"})
    EXPECT_GE(noticed[field], 3) << field;
}

}  // namespace
}  // namespace chalk
