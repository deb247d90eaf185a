#include "src/onnx/fold.h"

#include <map>
#include <vector>

#include "chalkgrad/program.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"

namespace chalk::onnx {

void give_folded(Emitter& to, const Variables& variables) {
  const Graph& graph = to.graph();
  const auto size = static_cast<std::size_t>(graph.size());
  std::vector<bool> fixed(size), asked(size);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& node = graph.node(id);
    bool is_fixed = node.op == &op_parameter || node.op == &op_constant || !is_leaf(*node.op);
    for (const auto operand : node.inputs) is_fixed = is_fixed && fixed[static_cast<std::size_t>(operand)];
    fixed[static_cast<std::size_t>(id)] = is_fixed;
    if (is_fixed) continue;
    for (const auto operand : node.inputs) asked[static_cast<std::size_t>(operand)] = true;
  }
  for (const auto& output : graph.outputs()) asked[static_cast<std::size_t>(output.second)] = true;

  Graph values = graph;
  values.clear_outputs();
  std::vector<NodeId> folded;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto i = static_cast<std::size_t>(id);
    if (!fixed[i] || !asked[i] || is_leaf(*graph.node(id).op)) continue;
    values.output(str(id), values.value(id));
    folded.push_back(id);
  }
  if (folded.empty()) return;
  Variables copy = variables;
  Program program(values, copy, {.threads = 1});
  std::map<NodeId, std::vector<float>> unused;  // samples have to be there, though nothing here looks at them
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& node = graph.node(id);
    if (node.op != &op_input || !node.type.batched) continue;
    auto& values_of_one = unused[id];
    values_of_one.resize(static_cast<std::size_t>(elements(node.type.shape)));
    program.feed(node.name, {.values = values_of_one.data()});
  }
  program.run(1);
  for (const auto id : folded) {
    const auto& node = graph.node(id);
    to.give(id, to.initializer(floats(str(node.layer, ".folded.", id), node.type.shape, program.output(str(id)))));
  }
}

}  // namespace chalk::onnx
