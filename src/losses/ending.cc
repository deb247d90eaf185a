#include "src/losses/ending.h"

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/attributes.h"
#include "src/ops/registry.h"

namespace chalk {

Ending ending_of(Value output) {
  Graph& graph = output.graph();
  NodeId last = output.id();
  while (graph.node(last).op == &op_reshape) last = graph.node(last).inputs[0];
  const Node& node = graph.node(last);
  const bool of_axis = node.op == &op_softmax || node.op == &op_log_softmax;
  if (!of_axis && node.op != &op_sigmoid) return {Ending::Kind::other, output};
  if (of_axis) {
    const auto axis = node.attributes.as<AxisAttributes>().axis;
    if (node.type.shape[static_cast<std::size_t>(axis)] != elements(node.type.shape)) {
      if (node.op != &op_softmax) return {Ending::Kind::other, output};
      return {Ending::Kind::softmaxes, graph.value(node.inputs[0]), axis};
    }
  }
  const auto kind = !of_axis                 ? Ending::Kind::sigmoid
                    : node.op == &op_softmax ? Ending::Kind::softmax
                                             : Ending::Kind::log_softmax;
  const Shape& shape = output.shape();
  const Value logits = graph.value(node.inputs[0]);
  return {kind, logits.shape() == shape ? logits : reshape(logits, shape)};
}

void remark_joined(Graph& graph, std::string_view loss, const Ending& end) {
  graph.remark(str("loss: ", loss, " joined with the ", end.kind == Ending::Kind::sigmoid ? "sigmoid" : "softmax",
                   " before it: computed from logits"));
}

}  // namespace chalk
