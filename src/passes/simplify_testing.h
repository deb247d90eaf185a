// What the tests of the passes share: writing a value as an expression, and values of whole graphs by name.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk::testing {

/// "mul(s, sum(x; axes=[0]))": named values by their name, constants by their value.
inline std::string expression(const Graph& g, NodeId id, bool by_name = false) {
  const Node& node = g.node(id);
  if (by_name && !node.name.empty()) return node.name;
  std::ostringstream out;
  if (node.op == &op_batch_size) return "N";
  if (node.op == &op_constant) {
    out << node.attributes.as<ConstantAttributes>().value;
    if (!node.type.shape.empty()) out << "[" << to_string(node.type.shape) << "]";
    return out.str();
  }
  out << node.op->name.value << "(";
  for (std::size_t k = 0; k < node.inputs.size(); ++k) out << (k ? ", " : "") << expression(g, node.inputs[k], true);
  const std::string attributes = to_string(node.attributes, node.op->attributes.value);
  if (!attributes.empty()) out << "; " << attributes;
  out << ")";
  return out.str();
}

/// The expression of an output.
inline std::string output_expression(const Graph& g, std::string_view output) {
  for (const auto& [name, id] : g.outputs()) {
    if (name == output) return expression(g, id, true);
  }
  return "no output " + std::string(output);
}

using Values = std::map<std::string, std::vector<double>, std::less<>>;

/// Outputs and the next values of parameters ("update w"), evaluated in double. `fed` names inputs and parameters.
inline Values evaluate(const Graph& g, const Values& fed, std::size_t batch, double* largest = nullptr) {
  Reference r(g, batch);
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op == &op_input || node.op == &op_parameter) r.set(id, fed.find(node.name)->second);
  }
  r.run();
  Values found;
  for (const auto& [name, id] : g.outputs()) found[name] = r.value(id);
  for (const auto& [leaf, next] : g.updates()) found["update " + g.node(leaf).name] = r.value(next);
  for (NodeId id = 0; largest && id < g.size(); ++id) {
    for (const double v : r.value(id))
      *largest = v == v && *largest == *largest ? std::max(*largest, std::abs(v)) : v - v;
  }
  return found;
}

/// Values for all inputs and parameters: between low and high, by name and place, the same in each run.
inline Values some_values(const Graph& g, std::size_t batch, double low = 0.5, double high = 2, unsigned seed = 1) {
  Values fed;
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op != &op_input && node.op != &op_parameter) continue;
    std::uint32_t state = seed * 2654435761u + static_cast<std::uint32_t>(std::hash<std::string>{}(node.name));
    auto& values = fed[node.name];
    values.resize(static_cast<std::size_t>(elements(node.type.shape)) * (node.type.batched ? batch : 1));
    for (auto& v : values) {
      state = state * 1664525u + 1013904223u;
      v = low + (high - low) * (state >> 8) / 16777216.0;
    }
    const bool distribution = node.op == &op_input && node.attributes.as<InputAttributes>().distribution;
    const auto classes = static_cast<std::size_t>(elements(node.type.shape));
    for (std::size_t n = 0; distribution && n < batch; ++n) {
      double total = 0;
      for (std::size_t i = 0; i < classes; ++i) total += std::abs(values[n * classes + i]);
      for (std::size_t i = 0; i < classes; ++i) values[n * classes + i] = std::abs(values[n * classes + i]) / total;
    }
  }
  return fed;
}

}  // namespace chalk::testing
