// Softmax, and what makes one number of several.
#include <algorithm>
#include <array>
#include <numeric>

#include "src/onnx/emitter.h"
#include "src/ops/attributes.h"
#include "src/ops/reduce.h"

namespace chalk::onnx {
namespace {

std::string write_softmax(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto axis = to.node(id).attributes.as<AxisAttributes>().axis + to.lead(id);
  return to.call(to.node(id).op->onnx.value, {to.operand(operands[0])}, {{"axis", axis}});
}

/// The axes that are reduced, of the graph: none given are all.
Ints axes_of(Ints axes, const Shape& x) {
  if (!axes.empty()) return axes;
  axes.resize(x.size());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Ints moved(Ints axes, std::int64_t lead) {
  for (auto& axis : axes) axis += lead;
  return axes;
}

std::string write_reduction(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& a = to.node(id).attributes.as<ReduceAttributes>();
  const auto axes = axes_of(a.axes, to.type(operands[0]).shape);
  if (axes.empty()) return to.operand(operands[0]);  // of one number
  return to.reduce(to.node(id).op->onnx.value, to.operand(operands[0]), moved(axes, to.lead(id)), a.keep);
}

/// The reduced axes side by side at the end, where ArgMax takes the first maximum of each group and OneHot marks it.
std::string write_first_max(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& shape = to.type(id).shape;
  const auto reduced = axes_of(to.node(id).attributes.as<AxesAttributes>().axes, shape);
  const auto lead = to.lead(id);
  Ints order(static_cast<std::size_t>(lead), 0), kept = order, permuted = order, back;
  std::int64_t group = 1;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
    const auto extent = shape[static_cast<std::size_t>(axis)];
    if (std::ranges::find(reduced, axis) != reduced.end()) {
      group *= extent;
      continue;
    }
    order.push_back(axis + lead);
    kept.push_back(extent);
    permuted.push_back(extent);
  }
  for (const auto axis : reduced) {
    order.push_back(axis + lead);
    permuted.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  const bool in_order = std::ranges::is_sorted(order);
  back.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  kept.push_back(group);
  auto x = to.operand(operands[0]);
  if (!in_order) x = to.call("Transpose", {x}, {{"perm", order}});
  const auto place =
      to.call("ArgMax", {to.reshape(x, kept)}, {{"axis", std::int64_t{-1}}, {"keepdims", std::int64_t{0}}});
  const auto no_and_yes = to.initializer(floats("", {2}, std::array{0.0F, 1.0F}));
  const auto marks =
      to.reshape(to.call("OneHot", {place, to.ints({group}), no_and_yes}, {{"axis", std::int64_t{-1}}}), permuted);
  return in_order ? marks : to.call("Transpose", {marks}, {{"perm", back}});
}

}  // namespace

extern const Translation onnx_softmax{.write = write_softmax}, onnx_log_softmax{.write = write_softmax},
    onnx_sum{.write = write_reduction}, onnx_mean{.write = write_reduction}, onnx_max{.write = write_reduction},
    onnx_amax{.write = write_reduction}, onnx_first_max{.write = write_first_max};

}  // namespace chalk::onnx
