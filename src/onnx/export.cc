#include <algorithm>

#include "chalkgrad/error.h"
#include "chalkgrad/onnx.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/onnx/fold.h"
#include "src/onnx/graph_file.h"
#include "src/onnx/step_table.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using onnx::GraphFile;
using Results = std::vector<std::pair<std::string, NodeId>>;

/// What a program in another language may want to know, beside the tensors.
void describe(onnx::Model& model, const Network& network) {
  model.metadata["chalkgrad.network"] = network.text();
  std::string names;
  for (const auto& name : network.encoding.class_names) names += name + '\n';
  if (!names.empty()) model.metadata["class_names"] = names;
}

/// Writes the results, each an output of its name, and what they need.
void write_results(GraphFile& to, const Results& results) {
  auto& emitter = to.emitter();
  std::vector<NodeId> wanted;
  for (const auto& result : results) wanted.push_back(result.second);
  emitter.write(wanted);
  for (const auto& [name, id] : results) to.output(name, id);
}

void reserve(GraphFile& to, const Results& results) {
  for (const auto& result : results) to.emitter().reserve(result.first);
}

/// Parameters as the network has them, and states as a run begins with them.
Variables variables_of(const Graph& step, const Network& network, const TrainingGraph& made) {
  Variables variables(step, /*seed=*/1);
  for (const auto& [name, tensor] : network.variables().all()) {
    const bool is_state = std::ranges::find(made.states, name) != made.states.end();
    if (variables.contains(name) && !is_state) variables.at(name).assign(tensor.values());
  }
  for (const auto& [name, copy] : made.copies) variables.at(copy).assign(std::as_const(variables).at(name).values());
  return variables;
}

/// The outputs of a step, and what each variable is after it.
Results results_of(const Graph& step) {
  Results results = step.outputs();
  std::erase_if(results, [](const auto& result) { return result.first == "sound"; });  // which is for our own engine
  for (const auto& [variable, next] : step.updates())
    results.emplace_back(str(step.node(variable).name, ".next"), next);
  return results;
}

}  // namespace

void export_onnx(const Network& network, const std::filesystem::path& file, const OnnxOptions& options) {
  const Graph graph = options.fold ? without_dead_nodes(fold_scales(simplify(network.graph()))) : network.graph();
  GraphFile to(graph, network.variables(), options);
  to.leaf = [&](NodeId id) {
    return graph.node(id).op == &op_parameter ? to.parameter(id, options.open) : to.samples(id, network.encoding);
  };
  reserve(to, graph.outputs());
  to.emitter().operand(input_node(graph));  // the first input, whatever the order of values
  if (options.fold) onnx::give_folded(to.emitter(), network.variables());
  write_results(to, graph.outputs());
  describe(to.model(), network);
  to.save(file);
}

void export_onnx_step(const Network& network, const std::filesystem::path& file, const TrainOptions& training,
                      const OnnxOptions& options) {
  if (training.lookahead || training.average) {
    throw InputError(str("a step as ONNX has no ", training.lookahead ? "Lookahead" : "averages of weights",
                         "; leave it out, or train with chalkgrad"));
  }
  TrainOptions used = training;
  used.schedule = Schedule();
  const bool labels = of_classes(used.loss);
  const auto made = training_graph(network, target_shape(used.loss, network.output_shape()), labels, used);
  const Graph step = simplify(made.graph);
  const Variables variables = variables_of(step, network, made);

  GraphFile to(step, variables, options);
  onnx::StepTables tables(to.emitter(), made.scalars, used.optimizer);
  to.leaf = [&](NodeId id) {
    const auto& node = step.node(id);
    if (node.op == &op_parameter) return to.parameter(id, /*open=*/true);
    if (is_noise(node)) return to.noise(id);
    if (node.name == "x") return to.samples(id, network.encoding);
    if (node.name == "t" && labels) return to.labels(id);
    if (node.name == "lr") return to.open_number("lr", static_cast<float>(used.optimizer.lr()));
    if (made.first_epochs.contains(node.name)) return to.open_number(node.name, 1.0F);
    if (tables.has(node.name)) return tables.number(node.name, [&] { return to.open_number("step", std::int64_t{0}); });
    return to.input(id);
  };
  const auto results = results_of(step);
  reserve(to, results);
  for (NodeId id = 0; id < step.size(); ++id) {  // samples and targets are the first inputs
    const auto& node = step.node(id);
    if (node.op == &op_input && node.type.batched && !is_noise(node)) to.emitter().operand(id);
  }
  write_results(to, results);
  tables.finish([&](const std::string& next) { to.output_whole_number("step.next", next); });
  describe(to.model(), network);
  to.save(file);
}

}  // namespace chalk
