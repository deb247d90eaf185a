#include "src/train/diagnose.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/ir/op.h"
#include "src/losses/loss.h"
#include "src/passes/passes.h"
#include "src/train/feeds.h"
#include "src/train/training_graph.h"

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
  Graph graph = training_form(network.graph());
  graph.clear_outputs();
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!is_leaf(*graph.node(id).op)) graph.output(str("%", id), graph.value(id));
  }
  CompileOptions options;
  options.disabled_passes = {"simplify", "fuse"};                       // every value as it is written
  if (network.training) options.seed = network.training->options.seed;  // the noise of the step that failed
  Program program(graph, network.variables(), options);
  program.feed("x", sample_feed(data));
  if (network.training) program.set_position(static_cast<std::uint64_t>(network.training->step));
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

std::string output_outside_domain(Network& network, const Dataset& data, Loss loss, std::size_t samples,
                                  const std::uint32_t* rows) {
  if (definition_of(loss).about_outputs.empty()) return {};
  const Graph& graph = network.graph();
  Program program(graph, network.variables());
  program.feed("x", sample_feed(data));
  program.run(samples, rows);
  const auto y = program.output(graph.outputs().at(0).first);
  const auto size = y.size() / samples;
  for (std::size_t at = 0; at < y.size(); ++at) {
    if (!std::isfinite(y[at])) continue;
    const auto row = rows ? rows[at / size] : static_cast<std::uint32_t>(at / size);
    auto what = outside_domain(graph, loss, static_cast<double>(y[at]), at % size, row);
    if (!what.empty()) return what;
  }
  return {};
}

std::string outside_domain(const Graph& graph, Loss loss, double value, std::size_t index, std::size_t sample) {
  const auto& definition = definition_of(loss);
  if (definition.about_outputs.empty() || definition.outputs.contains(value)) return {};
  const Node& last = graph.node(graph.outputs().at(0).second);
  std::string layer = last.name.empty() ? "the output" : last.name;
  if (!last.inputs.empty()) {
    const auto& before = graph.node(last.inputs[0]).layer;
    if (!before.empty() && before != last.layer) layer = str(before, " (", layer, ")");
  }
  return str(layer, " gives ", value, " for output ", index, " of sample ", sample, "; ", definition.about_outputs);
}

}  // namespace chalk
