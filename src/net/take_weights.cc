// Weights of another network, by name and shape.
#include <algorithm>
#include <map>

#include "chalkgrad/network.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"

namespace chalk {
namespace {

std::vector<std::pair<std::string, Shape>> shapes_of(const Graph& graph) {
  std::vector<std::pair<std::string, Shape>> all;
  for (const NodeId id : parameters_of(graph)) all.emplace_back(graph.node(id).name, graph.node(id).type.shape);
  return all;
}

}  // namespace

TakenWeights take_weights(Network& network, const Network& other) {
  TakenWeights result;
  const auto theirs = shapes_of(other.graph());
  for (const auto& [name, shape] : shapes_of(network.graph())) {
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
