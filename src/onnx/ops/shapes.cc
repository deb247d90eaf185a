// What moves numbers or repeats them; and constants.
#include <limits>
#include <numeric>

#include "src/ir/leaves.h"
#include "src/onnx/emitter.h"
#include "src/ops/attributes.h"
#include "src/ops/reduce.h"

namespace chalk::onnx {
namespace {

/// With the batch's axis, for which the number is `of_batch`, in front.
Ints with_batch(Ints numbers, std::int64_t lead, std::int64_t of_batch) {
  numbers.insert(numbers.begin(), static_cast<std::size_t>(lead), of_batch);
  return numbers;
}

std::string write_broadcast(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& shape = to.type(id).shape;
  return to.call("Expand", {to.aligned_operand(operands[0], shape.size()), to.ints(with_batch(shape, to.lead(id), 1))});
}

std::string write_reshape(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  if (to.type(id) == to.type(operands[0])) return to.operand(operands[0]);
  return to.reshape(to.operand(operands[0]), Emitter::shape_of(to.type(id)));
}

std::string write_transpose(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  auto order = to.node(id).attributes.as<TransposeAttributes>().permutation;
  for (auto& axis : order) axis += to.lead(id);
  return to.call("Transpose", {to.operand(operands[0])}, {{"perm", with_batch(order, to.lead(id), 0)}});
}

std::string write_reverse(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  auto axes = to.node(id).attributes.as<AxesAttributes>().axes;
  if (axes.empty()) {
    axes.resize(to.type(id).shape.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (axes.empty()) return to.operand(operands[0]);
  for (auto& axis : axes) axis += to.lead(id);
  const Ints back(axes.size(), -1), end(axes.size(), std::numeric_limits<std::int64_t>::min());
  return to.call("Slice", {to.operand(operands[0]), to.ints(back), to.ints(end), to.ints(axes), to.ints(back)});
}

std::string write_pad(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& a = to.node(id).attributes.as<PadAttributes>();
  auto pads = with_batch(a.before, to.lead(id), 0);
  const auto after = with_batch(a.after, to.lead(id), 0);
  pads.insert(pads.end(), after.begin(), after.end());
  return to.call("Pad", {to.operand(operands[0]), to.ints(pads)});
}

std::string write_slice(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& a = to.node(id).attributes.as<SliceAttributes>();
  Ints axes(a.start.size());
  std::iota(axes.begin(), axes.end(), to.lead(id));
  return to.call("Slice", {to.operand(operands[0]), to.ints(a.start), to.ints(a.stop), to.ints(axes)});
}

std::string write_concat(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  Names inputs;
  for (const auto operand : operands)
    inputs.push_back(to.type(id).batched ? to.batched_operand(operand) : to.operand(operand));
  return to.call("Concat", std::move(inputs),
                 {{"axis", to.node(id).attributes.as<AxisAttributes>().axis + to.lead(id)}});
}

std::string write_constant(Emitter& to, NodeId id, std::span<const NodeId>) {
  const auto number = to.number(to.node(id).attributes.as<ConstantAttributes>().value);
  const auto& shape = to.type(id).shape;
  return shape.empty() ? number : to.call("Expand", {number, to.ints(shape)});
}

std::string write_batch_size(Emitter& to, NodeId, std::span<const NodeId>) {
  return to.once("batch size", [&] {
    return to.call("Cast", {to.reshape(to.batch(), {})}, {{"to", number_of(Element::float32)}});
  });
}

}  // namespace

extern const Translation onnx_broadcast{.write = write_broadcast}, onnx_reshape{.write = write_reshape},
    onnx_transpose{.write = write_transpose}, onnx_reverse{.write = write_reverse}, onnx_pad{.write = write_pad},
    onnx_slice{.write = write_slice}, onnx_concat{.write = write_concat}, onnx_constant{.write = write_constant},
    onnx_batch_size{.write = write_batch_size};

}  // namespace chalk::onnx
