#include "chalkgrad/cost.h"

#include <algorithm>

#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

bool is_trainable(const Node& node) {
  return node.op == &op_parameter && node.attributes.as<ParameterAttributes>().trainable;
}

/// What the first output needs. All, if there is none.
std::vector<bool> needed_for_prediction(const Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.size()), graph.outputs().empty());
  if (!graph.outputs().empty()) needed[static_cast<std::size_t>(graph.outputs()[0].second)] = true;
  for (auto id = needed.size(); id-- > 0;) {
    if (!needed[id]) continue;
    for (const auto input : graph.node(static_cast<NodeId>(id)).inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

}  // namespace

std::int64_t multiply_adds(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.type.batched) return 0;
  const auto shape = [&](std::size_t input) -> const Shape& { return graph.node(node.inputs[input]).type.shape; };
  const auto window = [](const Shape& w) { return elements(w) / w[0]; };  // products in one element of the result
  const Shape& y = node.type.shape;
  if (node.op == &op_conv2d) return elements(y) * window(shape(1));
  if (node.op == &op_conv2d_input_grad) return elements(shape(0)) * window(shape(1));
  if (node.op == &op_conv2d_weight_grad) return elements(shape(1)) * window(y);
  if (node.op == &op_dense) return elements(shape(1));
  if (node.op == &op_outer) return elements(y);
  if (node.op == &op_matmul) return elements(shape(0)) * y[1];
  return 0;
}

std::int64_t multiply_adds(const Graph& graph) {
  std::int64_t sum = 0;
  for (NodeId id = 0; id < graph.size(); ++id) sum += multiply_adds(graph, id);
  return sum;
}

Cost cost(const Graph& graph) {
  Cost total;
  std::vector<bool> learns(static_cast<std::size_t>(graph.size()));  // depends on a trainable parameter
  const auto predicted = needed_for_prediction(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto learning = std::count_if(node.inputs.begin(), node.inputs.end(),
                                        [&](NodeId input) { return learns[static_cast<std::size_t>(input)]; });
    learns[static_cast<std::size_t>(id)] = learning > 0 || is_trainable(node);
    if (is_trainable(node)) total.parameters += elements(node.type.shape);
    const auto products = multiply_adds(graph, id);
    if (predicted[static_cast<std::size_t>(id)]) total.forward += products;
    total.training += products * (1 + learning);
  }
  return total;
}

std::vector<LayerCost> layer_costs(const Graph& graph) {
  std::vector<LayerCost> layers;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.layer.empty() && !is_trainable(node)) continue;
    const auto& name = node.layer.empty() ? node.name : node.layer;  // a parameter without a layer
    auto layer = std::find_if(layers.begin(), layers.end(), [&](const LayerCost& l) { return l.layer == name; });
    if (layer == layers.end()) layer = layers.insert(layers.end(), LayerCost{name, {}, 0, 0});
    layer->shape = node.type.shape;
    if (is_trainable(node)) layer->parameters += elements(node.type.shape);
    layer->forward += multiply_adds(graph, id);
  }
  return layers;
}

}  // namespace chalk
