// What a network's graph becomes in training: substitutes take the place of values that are for prediction alone, and
// running averages follow the batches.
#include <stdexcept>

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"

namespace chalk {
namespace {

/// The value that takes the place of this one, in either graph: ids are the same in both.
NodeId in_training(const Graph& graph, NodeId id) {
  const auto found = graph.training_substitutes().find(id);
  return found == graph.training_substitutes().end() ? id : found->second;
}

Graph substituted(const Graph& graph) {
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = r.translated(id);
    for (auto& input : node.inputs) {
      const NodeId used = in_training(graph, input);
      if (used >= id)
        throw std::logic_error(str("%", id, " uses %", input, " before its substitute in training, %", used));
      input = used;
    }
    r.map(id, r.append(std::move(node)));
  }
  Graph training = r.finish();
  training.clear_outputs();
  for (const auto& [name, id] : graph.outputs()) training.output(name, training.value(in_training(graph, id)));
  return training;
}

}  // namespace

Graph training_form(const Graph& graph, const std::string& momentum) {
  Graph training = substituted(graph);
  const Value given = momentum.empty() ? Value() : training.shared_input(momentum);
  const std::string layer_before = training.layer();
  const auto needed = needed_by_outputs(graph);
  for (const auto& average : graph.running_averages()) {
    if (!graph.outputs().empty() && !needed[static_cast<std::size_t>(average.parameter)]) continue;
    const Value parameter = training.value(average.parameter), estimate = training.value(average.estimate);
    training.layer(graph.node(average.estimate).layer);
    const Value rest = given ? training.constant(1) - given : training.constant(1 - average.momentum);
    const Value share = given ? given : training.constant(average.momentum);
    training.update(parameter, rest * parameter + share * estimate);
  }
  training.layer(layer_before);
  return training;
}

}  // namespace chalk
