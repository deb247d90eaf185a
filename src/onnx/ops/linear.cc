// Convolutions, dense layers and products of matrices, and their sums over samples.
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/onnx/ops/maps.h"
#include "src/ops/attributes.h"
#include "src/ops/conv2d.h"
#include "src/ops/registry.h"

namespace chalk::onnx {
namespace {

CallAttributes window_attributes(const Ints& strides, const Ints& padding, const Ints& dilations, std::int64_t groups) {
  return {{"strides", strides},
          {"pads", Ints{padding[0], padding[1], padding[0], padding[1]}},
          {"dilations", dilations},
          {"group", groups}};
}

/// The weights of a convolution, which ONNX applies to all samples.
std::string shared_operand(Emitter& to, NodeId id) {
  if (to.type(id).batched) {
    throw InputError(
        "ONNX has no convolution with weights that are others for each sample; it can only be run by chalkgrad");
  }
  return to.operand(id);
}

/// The transposed convolution: rows and columns of x that no window reaches are output_padding.
std::string write_input_grad(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& a = to.node(id).attributes.as<Conv2dAttributes>();
  const auto &dy = to.type(operands[0]).shape, &w = to.type(operands[1]).shape, &x = to.type(id).shape;
  auto attributes = window_attributes(a.stride, a.padding, a.dilation, a.groups);
  Ints beyond;
  for (std::size_t d = 0; d < 2; ++d) {
    const auto reached = (dy[d + 1] - 1) * a.stride[d] + (w[d + 2] - 1) * a.dilation[d] + 1 - 2 * a.padding[d];
    beyond.push_back(x[d + 1] - reached);
  }
  attributes.emplace_back("output_padding", beyond);
  return from_maps(
      to, id,
      to.call("ConvTranspose", {as_maps(to, operands[0]), shared_operand(to, operands[1])}, std::move(attributes)));
}

/// Σ over the samples of the weights' gradients is a convolution, too: of x with channels and samples exchanged, by dy
/// as its filters, stride and dilation exchanged. Groups stay groups, each with its samples for channels.
std::string write_weight_grads(Emitter& to, NodeId gradient, NodeId x, NodeId dy) {
  const auto& a = to.node(gradient).attributes.as<Conv2dAttributes>();
  const auto &w = to.type(gradient).shape, &maps = to.type(x).shape;
  const auto groups = a.groups;
  auto samples = to.batched_operand(x);
  if (groups > 1) samples = to.reshape(samples, {0, groups, maps[0] / groups, maps[1], maps[2]});
  if (groups > 1) samples = to.call("Transpose", {samples}, {{"perm", Ints{2, 1, 0, 3, 4}}});
  if (groups > 1) samples = to.reshape(samples, {maps[0] / groups, -1, maps[1], maps[2]});
  if (groups == 1) samples = to.call("Transpose", {samples}, {{"perm", Ints{1, 0, 2, 3}}});
  const auto filters = to.call("Transpose", {to.batched_operand(dy)}, {{"perm", Ints{1, 0, 2, 3}}});
  auto sums = to.call("Conv", {samples, filters}, window_attributes(a.dilation, a.padding, a.stride, groups));
  // With strides, there may be more places than the window has.
  sums = to.call("Slice", {sums, to.ints({0, 0}), to.ints({w[2], w[3]}), to.ints({2, 3})});
  return to.call("Transpose", {sums}, {{"perm", Ints{1, 0, 2, 3}}});
}

std::string write_weight_grad(Emitter& to, NodeId id, std::span<const NodeId>) {
  throw InputError(str("ONNX cannot say the gradient of ",
                       to.node(id).layer.empty() ? "a convolution" : to.node(id).layer,
                       "'s weights for each sample, only their sum over the samples"));
}

/// The operand with its two axes exchanged, if so.
std::string matrix(Emitter& to, NodeId id, bool transposed) {
  if (!transposed) return to.operand(id);
  return to.call("Transpose", {to.operand(id)}, {{"perm", to.type(id).batched ? Ints{0, 2, 1} : Ints{1, 0}}});
}

std::string write_dense(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const bool transposed = to.node(id).attributes.as<DenseAttributes>().transposed;
  const auto& x = to.type(operands[0]);
  if (x.batched && !to.type(operands[1]).batched) {
    return to.call("Gemm", {to.operand(operands[0]), to.operand(operands[1])},
                   {{"transB", std::int64_t{transposed ? 0 : 1}}});
  }
  const auto column = to.reshape(to.operand(operands[0]), Emitter::shape_of({{x.shape[0], 1}, x.batched}));
  const auto product = to.call("MatMul", {matrix(to, operands[1], transposed), column});
  return to.reshape(product, Emitter::shape_of(to.type(id)));
}

std::string write_matmul(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& a = to.node(id).attributes.as<MatmulAttributes>();
  return to.call("MatMul", {matrix(to, operands[0], a.transpose_a), matrix(to, operands[1], a.transpose_b)});
}

std::string write_outer(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto vector = [&](NodeId operand, const Ints& shape) {
    return to.reshape(to.operand(operand), Emitter::shape_of({shape, to.type(operand).batched}));
  };
  const auto& shape = to.type(id).shape;
  return to.call("Mul", {vector(operands[0], {shape[0], 1}), vector(operands[1], {1, shape[1]})});
}

/// A sum over samples of products that are never written down for each of them.
std::vector<NodeId> match_sum(const Graph& graph, NodeId id) {
  const auto& inner = graph.node(graph.node(id).inputs[0]);
  const bool joined = inner.type.batched && (inner.op == &op_conv2d_weight_grad || inner.op == &op_outer);
  return joined ? inner.inputs : std::vector<NodeId>{};
}

std::string write_batch_sum(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto inner = to.node(id).inputs[0];
  if (operands.size() == 1) return to.reduce("ReduceSum", to.operand(operands[0]), {0}, /*keep=*/false);
  if (to.node(inner).op == &op_outer)
    return to.call("Gemm", {to.batched_operand(operands[0]), to.batched_operand(operands[1])},
                   {{"transA", std::int64_t{1}}});
  return write_weight_grads(to, inner, operands[0], operands[1]);
}

std::string write_batch_broadcast(Emitter& to, NodeId, std::span<const NodeId> operands) {
  return to.batched_operand(operands[0]);
}

}  // namespace

std::string write_conv(Emitter& to, NodeId id, std::span<const NodeId> operands, const std::string& bias) {
  const auto& a = to.node(id).attributes.as<Conv2dAttributes>();
  Names inputs{as_maps(to, operands[0]), shared_operand(to, operands[1])};
  if (!bias.empty()) inputs.push_back(bias);
  return from_maps(to, id,
                   to.call("Conv", std::move(inputs), window_attributes(a.stride, a.padding, a.dilation, a.groups)));
}

namespace {
std::string write_conv2d(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  return write_conv(to, id, operands, {});
}
}  // namespace

extern const Translation onnx_conv2d{.write = write_conv2d}, onnx_conv2d_input_grad{.write = write_input_grad},
    onnx_conv2d_weight_grad{.write = write_weight_grad}, onnx_dense{.write = write_dense},
    onnx_matmul{.write = write_matmul}, onnx_outer{.write = write_outer},
    onnx_batch_sum{.match = match_sum, .write = write_batch_sum}, onnx_batch_broadcast{.write = write_batch_broadcast};

}  // namespace chalk::onnx
