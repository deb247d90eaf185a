// What ONNX has one operator for, and the graph several operations.
#include <optional>

#include "src/ir/leaves.h"
#include "src/ir/op.h"
#include "src/onnx/emitter.h"
#include "src/onnx/ops/maps.h"
#include "src/ops/attributes.h"
#include "src/ops/registry.h"

namespace chalk::onnx {
namespace {

/// A value of a graph being looked at: is it this operation, and of what? An empty one is nothing.
struct Seen {
  const Graph* graph = nullptr;
  NodeId id = -1;

  const Node& node() const { return graph->node(id); }
  bool is(const Op& op) const { return node().op == &op; }
  Seen operand(std::size_t i) const { return {graph, node().inputs[i]}; }
  /// If it is shared and has a number for each channel, as a vector or as channels × 1 × 1: the vector behind it, or
  /// itself.
  std::optional<NodeId> channels() const {
    if (node().type.batched || node().type.shape.empty()) return std::nullopt;
    const Seen vector = is(op_reshape) && operand(0).node().type.shape.size() == 1 ? operand(0) : *this;
    for (std::size_t d = 1; d < node().type.shape.size(); ++d) {
      if (node().type.shape[d] != 1) return std::nullopt;
    }
    return vector.id;
  }
};

std::string vector_operand(Emitter& to, NodeId id) {
  return to.type(id).shape.size() == 1 ? to.operand(id) : to.reshape(to.operand(id), {-1});
}

/// y + b, where b is a vector with one number for each channel of y = an operation of two operands.
std::vector<NodeId> match_bias(const Graph& graph, NodeId id, const Op& op) {
  const Seen sum{&graph, id};
  if (!sum.is(op_add)) return {};
  const Seen y = sum.operand(0), bias = sum.operand(1);
  if (!y.is(op) || !y.node().type.batched || y.node().type.shape != sum.node().type.shape) return {};
  if (y.operand(1).node().type.batched || !y.operand(0).node().type.batched) return {};
  const auto vector = bias.channels();
  if (!vector || graph.node(*vector).type.shape[0] != y.node().type.shape[0]) return {};
  if (bias.node().type.shape.size() != y.node().type.shape.size()) return {};
  return {y.operand(0).id, y.operand(1).id, *vector};
}

std::vector<NodeId> match_convolution(const Graph& graph, NodeId id) { return match_bias(graph, id, op_conv2d); }

std::string write_convolution(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  return write_conv(to, to.node(id).inputs[0], operands.first(2), vector_operand(to, operands[2]));
}

std::vector<NodeId> match_dense(const Graph& graph, NodeId id) { return match_bias(graph, id, op_dense); }

std::string write_dense_layer(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const bool transposed = to.node(to.node(id).inputs[0]).attributes.as<DenseAttributes>().transposed;
  return to.call("Gemm", {to.operand(operands[0]), to.operand(operands[1]), vector_operand(to, operands[2])},
                 {{"transB", std::int64_t{transposed ? 0 : 1}}});
}

/// γ · ((x − μ) / √(σ² + ε)) + β, as batch_norm_layer() builds it: x, γ, β, μ, σ² and ε.
std::vector<NodeId> match_batch_normalization(const Graph& graph, NodeId id) {
  const Seen y{&graph, id};
  if (!y.is(op_add) || !y.operand(0).is(op_mul)) return {};
  const Seen scaled = y.operand(0), normal = scaled.operand(1);
  if (!normal.is(op_div) || !normal.operand(0).is(op_sub) || !normal.operand(1).is(op_sqrt)) return {};
  const Seen difference = normal.operand(0), x = difference.operand(0), sum = normal.operand(1).operand(0);
  if (!sum.is(op_add) || !sum.operand(1).is(op_constant) || !x.node().type.batched || x.node().type != y.node().type)
    return {};
  std::vector<NodeId> found{x.id};
  for (const Seen& each : {scaled.operand(0), y.operand(1), difference.operand(1), sum.operand(0)}) {
    const auto vector = each.channels();
    if (!vector || graph.node(*vector).type.shape[0] != x.node().type.shape[0]) return {};
    if (each.node().type.shape.size() != x.node().type.shape.size()) return {};
    found.push_back(*vector);
  }
  return found;
}

std::string write_batch_normalization(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  Names inputs{to.operand(operands[0])};
  for (const auto operand : operands.subspan(1)) inputs.push_back(vector_operand(to, operand));
  const Graph& graph = to.graph();
  const Seen y{&graph, id}, sum = y.operand(0).operand(1).operand(1).operand(0);
  const auto epsilon = static_cast<float>(sum.operand(1).node().attributes.as<ConstantAttributes>().value);
  return to.call("BatchNormalization", std::move(inputs), {{"epsilon", epsilon}});
}

}  // namespace

extern const Translation onnx_convolution_with_bias{.match = match_convolution, .write = write_convolution},
    onnx_dense_with_bias{.match = match_dense, .write = write_dense_layer},
    onnx_batch_normalization{.match = match_batch_normalization, .write = write_batch_normalization};

}  // namespace chalk::onnx
