// Layers against what PyTorch recorded for them (tools/layer_values.py): outputs and gradients, by the reference in
// double and by the engine in float.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/program.h"
#include "src/layers/registry.h"
#include "src/net/build.h"
#include "src/net/chain.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

using Numbers = std::vector<double>;

struct Case {
  std::string layer;  // the network, in a line or in TOML
  Shape shape;
  std::map<std::string, Numbers> numbers;  // by what stands in front: "x", "param NAME", "dy", "y", "dx", "d NAME"

  std::size_t batch() const { return numbers.at("x").size() / static_cast<std::size_t>(elements(shape)); }
};

std::vector<Case> recorded() {
  std::vector<Case> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/layers/values.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto colon = line.find(':');
    const auto key = line.substr(0, colon);
    auto value = line.substr(std::min(colon + 2, line.size()));
    if (key == "layer") {
      std::ranges::replace(value, ';', '\n');
      all.push_back({.layer = value, .shape = {}, .numbers = {}});
      continue;
    }
    std::istringstream in(value);
    for (std::string number; in >> number;) {
      if (key == "shape") {
        all.back().shape.push_back(std::stol(number));
      } else {
        all.back().numbers[key].push_back(std::stod(number));
      }
    }
  }
  return all;
}

const std::vector<Case>& cases() {
  static const auto all = recorded();
  return all;
}

/// A case's network, its output and gradients for the cotangent dy.
struct Gradients {
  explicit Gradients(const Case& c, const std::string& network) : graph(build_graph(network, c.shape)) {
    const Value y = graph.value(output_node(graph));
    auto wrt = graph.parameters();
    wrt.push_back(graph.value(input_node(graph)));
    const auto d = differentiate(y, graph.input("dy", y.shape()), wrt);
    graph.clear_outputs();
    graph.output("y", y);
    for (std::size_t i = 0; i < wrt.size(); ++i)
      graph.output(wrt[i].name() == "x" ? "dx" : str("d ", wrt[i].name()), d[i]);
  }
  Graph graph;
};

/// The largest difference from what is recorded, relative to 1 + |value|, in double.
double difference(const Case& c, const std::string& network) {
  const Gradients g(c, network);
  Reference reference(g.graph, c.batch());
  Graph graph = g.graph;
  for (const auto* name : {"x", "dy"}) reference.set(graph.find(name).id(), c.numbers.at(name));
  for (const auto& p : graph.parameters()) reference.set(p.id(), c.numbers.at(str("param ", p.name())));
  reference.run();
  double largest = 0;
  for (const auto& [name, id] : graph.outputs()) {
    const auto& expected = c.numbers.at(name);
    const auto& found = reference.value(id);
    if (found.size() != expected.size()) return HUGE_VAL;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double error = std::abs(found[i] - expected[i]) / (1 + std::abs(expected[i]));
      largest = std::isnan(error) ? HUGE_VAL : std::max(largest, error);
    }
  }
  return largest;
}

TEST(LayerValues, AreThoseOfPyTorchInDouble) {
  EXPECT_GE(cases().size(), 26U);
  for (const auto& c : cases()) EXPECT_LT(difference(c, c.layer), 1e-12) << c.layer;
}

TEST(LayerValues, OfOneActivationAreThoseOfNoOther) {
  for (const auto& c : cases()) {
    if (c.layer == "celu") continue;  // with α = 1 it is elu
    if (c.shape.size() != 1 || c.numbers.size() != 4) continue;
    for (const auto& other : cases()) {
      if (other.layer == c.layer || other.layer == "celu" || other.shape.size() != 1 || other.numbers.size() != 4)
        continue;
      EXPECT_GT(difference(c, other.layer), 1e-4) << c.layer << " and " << other.layer;
    }
  }
}

TEST(LayerValues, AreThoseOfPyTorchInFloat) {
  for (const auto& c : cases()) {
    const Gradients g(c, c.layer);
    Variables variables(g.graph, 1);
    Program program(g.graph, variables, {.threads = 1});
    std::map<std::string, std::vector<float>> feeds;
    for (const auto* name : {"x", "dy"}) {
      feeds[name].assign(c.numbers.at(name).begin(), c.numbers.at(name).end());
      program.feed(name, {.values = feeds.at(name).data()});
    }
    for (const auto& [key, values] : c.numbers) {
      if (key.starts_with("param "))
        variables.at(key.substr(6)).assign(std::vector<float>(values.begin(), values.end()));
    }
    program.run(c.batch());
    for (const auto& [name, id] : g.graph.outputs()) {
      const auto found = program.output(name);
      const auto& expected = c.numbers.at(name);
      ASSERT_EQ(found.size(), expected.size()) << c.layer << ' ' << name;
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_NEAR(static_cast<double>(found[i]), expected[i], 4e-6 * (1 + std::abs(expected[i])))
            << c.layer << ": " << name << '[' << i << ']';
      }
    }
  }
}

TEST(LayerValues, CoverEveryActivation) {
  std::set<std::string> covered{"linear"};
  for (const auto& c : cases()) {
    if (c.layer[0] != '[') covered.emplace(parse_chain(c.layer)[0].layer->name.value);
  }
  for (const auto* layer : all_layers()) {
    if (layer->activation) {
      EXPECT_TRUE(covered.contains(std::string(layer->name.value)))
          << "add " << layer->name.value << " to tools/layer_values.py and run it";
    }
  }
}

TEST(LayerValues, AreNaNWhereTheInputIs) {
  for (const auto* layer : all_layers()) {
    if (!layer->activation) continue;
    Graph g;
    const Value y = build_layer(*layer, {{g.input("x", {3})}}, layer->options);
    Reference reference(g, 1);
    reference.set(g.find("x").id(), {-1, std::nan(""), 1});
    reference.run();
    const auto& found = reference.value(y.id());
    EXPECT_TRUE(std::isnan(found[1])) << layer->name.value;
    EXPECT_TRUE(std::isfinite(found[0]) && std::isfinite(found[2])) << layer->name.value;
  }
}

}  // namespace
}  // namespace chalk
