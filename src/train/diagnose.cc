#include "src/train/diagnose.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/finite.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/losses/loss.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

/// " (NaN)" or " (inf)", or nothing if all values are finite.
std::string flaw(std::span<const float> values) {
  const auto at = first_not_finite(values);
  return at == values.size() ? "" : str(" (", name_of_flaw(values[at]), ")");
}

/// The first of the parameters that the graph's outputs need, or of the layers when it runs on these samples: "the
/// layer dense1 (inf) for sample 17".
std::string first_flaw(Graph graph, Variables& variables, const Feed& x, std::uint64_t seed, std::uint64_t position,
                       std::size_t samples, const std::uint32_t* rows) {
  const auto needed = needed_by_outputs(graph);
  graph.clear_outputs();
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (needed[static_cast<std::size_t>(id)] && !is_leaf(*graph.node(id).op))
      graph.output(str("%", id), graph.value(id));
  }
  CompileOptions options;
  options.disabled_passes = {"simplify", "fuse"};  // every value as it is written
  options.seed = seed;
  Program program(graph, variables, options);
  program.feed("x", x);
  program.set_position(position);
  program.run(samples, rows);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!needed[static_cast<std::size_t>(id)]) continue;
    if (variables.contains(node.name)) {
      const auto what = flaw(std::as_const(variables).at(node.name).values());
      if (!what.empty()) return str("the parameter ", node.name, what);
    } else if (!is_leaf(*node.op)) {
      const auto values = program.output(str("%", id));
      const auto at = first_not_finite(values);
      if (at != values.size()) return place_of_flaw(graph, id, values[at], at, rows);
    }
  }
  return {};
}

constexpr const char* kUseless = "; train it again, with a smaller lr, or use a model from before that happened";

}  // namespace

std::string name_of_flaw(float value) { return std::isnan(value) ? "NaN" : "inf"; }

std::string place_of_flaw(const Graph& graph, NodeId id, float value, std::size_t at, const std::uint32_t* rows) {
  const Node& node = graph.node(id);
  auto place = str("the layer ", node.layer.empty() ? str("%", id) : node.layer, " (", name_of_flaw(value), ")");
  if (!node.type.batched) return place;
  const auto sample = at / static_cast<std::size_t>(elements(node.type.shape));
  return str(place, " for sample ", rows ? rows[sample] : sample);
}

std::string first_not_finite(Network& network, const Feed& x, std::size_t samples, const std::uint32_t* rows) {
  const auto& run = network.training;  // the noise of the step that failed
  const auto where =
      first_flaw(training_form(trained_graph(network)), network.variables(), x, run ? run->options.seed : 0,
                 run ? static_cast<std::uint64_t>(run->step) : 0, samples, rows);
  return where.empty() ? "the loss" : where;
}

std::string variable_not_finite(const Variables& variables, std::span<const std::string> names) {
  for (const auto& name : names) {
    const auto what = flaw(variables.at(name).values());
    if (!what.empty()) return str("the parameter ", name, " is not finite", what);
  }
  return {};
}

void check_parameters(const Network& network) {
  for (const NodeId id : parameters_of(network.graph())) {
    const auto where = variable_not_finite(network.variables(), {&network.graph().node(id).name, 1});
    if (!where.empty()) throw NumericError(where + kUseless);
  }
}

void fail_prediction(const Graph& graph, Variables& variables, const Feed& x, std::size_t samples,
                     const std::uint32_t* rows) {
  const auto where = first_flaw(graph, variables, x, 0, 0, samples, rows);
  throw NumericError(str("the network's answer is not finite; the first value that is not is in ",
                         where.empty() ? "the loss" : where, kUseless));
}

std::string output_outside_domain(Network& network, const Feed& x, std::uint64_t position, const Loss& first,
                                  std::span<const NetworkOutput> outputs, std::size_t samples,
                                  const std::uint32_t* rows) {
  for (const auto& output : outputs) {
    const Loss loss = loss_of(output, first);
    if (definition_of(loss).about_outputs.empty()) continue;
    const Graph graph = network.graph_of(output.name);
    Program program(graph, network.variables());
    program.feed("x", x);
    program.set_position(position);
    program.run(samples, rows);
    const auto y = program.output(output.name);
    const auto size = y.size() / samples;
    for (std::size_t at = 0; at < y.size(); ++at) {
      if (!std::isfinite(y[at])) continue;
      const auto row = rows ? rows[at / size] : static_cast<std::uint32_t>(at / size);
      auto what = outside_domain(graph, loss, static_cast<double>(y[at]), at % size, row);
      if (!what.empty()) return what;
    }
  }
  return {};
}

std::string outside_domain(const Graph& graph, const Loss& loss, double value, std::size_t index, std::size_t sample) {
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
