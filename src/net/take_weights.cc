// Weights of another network, by name and shape.
#include <algorithm>
#include <map>

#include "chalkgrad/network.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"

namespace chalk {
namespace {

/// The shapes of a network's parameters, running statistics included, in their order.
std::vector<std::pair<std::string, Shape>> parameters_of(const Graph& graph) {
  std::vector<std::pair<std::string, Shape>> all;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op == &op_parameter) all.emplace_back(node.name, node.type.shape);
  }
  return all;
}

}  // namespace

TakenWeights take_weights(Network& network, const Network& other) {
  TakenWeights result;
  const auto theirs = parameters_of(other.graph());
  for (const auto& [name, shape] : parameters_of(network.graph())) {
    const auto found = std::ranges::find(theirs, name, &std::pair<std::string, Shape>::first);
    if (found == theirs.end()) {
      result.drawn.push_back(name);
    } else if (found->second != shape) {
      result.drawn.push_back(str(name, " (", to_string(shape), ", there ", to_string(found->second), ")"));
    } else {
      network.variables().at(name).assign(other.variables().at(name).values());
      result.taken.push_back(name);
    }
  }
  for (const auto& [name, shape] : theirs) {
    if (!network.variables().contains(name)) result.unused.push_back(name);
  }
  return result;
}

}  // namespace chalk
