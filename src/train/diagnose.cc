#include "src/train/diagnose.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/ir/op.h"
#include "src/train/feeds.h"

namespace chalk {
namespace {

/// "NaN", "inf", or null if all values are finite.
const char* flaw(std::span<const float> values) {
  const auto found = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (found == values.end()) return nullptr;
  return std::isnan(*found) ? "NaN" : "inf";
}

}  // namespace

std::string first_not_finite(Network& network, const Dataset& data, std::size_t samples, const std::uint32_t* rows) {
  Graph graph = network.graph();
  graph.clear_outputs();
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!is_leaf(*graph.node(id).op)) graph.output(str("%", id), graph.value(id));
  }
  CompileOptions options;
  options.disabled_passes = {"simplify", "fuse"};  // every value as it is written
  Program program(graph, network.variables(), options);
  program.feed("x", sample_feed(data));
  program.run(samples, rows);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (network.variables().contains(node.name)) {
      if (const char* what = flaw(network.variables().at(node.name).values()))
        return str("the parameter ", node.name, " (", what, ")");
    } else if (!is_leaf(*node.op)) {
      const std::string& layer = node.layer.empty() ? str("%", id) : node.layer;
      if (const char* what = flaw(program.output(str("%", id)))) return str("the layer ", layer, " (", what, ")");
    }
  }
  return "the loss";
}

}  // namespace chalk
