// Reductions over axes, and what divides by one: softmax, norms.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "src/base/text.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

constexpr std::int64_t kMostFactors = 256;

/// The operand of a reduction, its axes and whether they stay.
struct Reduction {
  Value x;
  Extents axes;
  bool keeps = true;
};

/// Axes are an operand since that version.
Reduction reduction(Importer& to, const FileNode& node, std::int64_t since) {
  const Value x = to.value(node, 0);
  const auto axes = axes_of(to, node, since);
  if (axes.empty() && to.whole(node, "noop_with_empty_axes", 0) != 0) return {x, {}};
  return {x, to.axes(node, axes, x), to.whole(node, "keepdims", 1) != 0};
}

Value unary(Importer& to, const FileNode& node, const char* op, Value x) { return to.operation(node, op, {x}); }
Value square(Importer& to, const FileNode& node, Value x) { return to.operation(node, "mul", {x, x}); }
Value negative(Importer& to, const FileNode& node, Value x) { return to.operation(node, "neg", {x}); }

/// Over nothing, of a tensor of the file: the same number everywhere.
bool of_nothing(Importer& to, const FileNode& node, std::int64_t since, float neutral) {
  const auto* known = to.known(node, 0);
  if (!known || known->size() != 0 || (known->wholes && !std::isfinite(neutral))) return false;
  auto axes = axes_of(to, node, since);
  if (axes.empty() && to.whole(node, "noop_with_empty_axes", 0) != 0) return false;
  if (axes.empty()) axes = places_from(0, 1, std::ssize(known->extents));
  for (auto& axis : axes) axis = to.axis(node, axis, known->extents.size());
  Extents extents;
  const bool keeps = to.whole(node, "keepdims", 1) != 0;
  for (std::size_t d = 0; d < known->extents.size(); ++d) {
    const bool goes = std::ranges::find(axes, static_cast<std::int64_t>(d)) != axes.end();
    if (!goes || keeps) extents.push_back(goes ? 1 : known->extents[d]);
  }
  const auto count = static_cast<std::size_t>(product(extents));
  if (count > (1 << 20)) to.fail(node, "makes more numbers than one would write in a file");
  if (known->wholes) {
    to.define(node, 0, known_wholes(extents, std::vector(count, static_cast<std::int64_t>(neutral))));
  } else {
    to.define(node, 0, known_reals(extents, std::vector(count, neutral)));
  }
  return true;
}

/// Along an axis; before version 13, of all axes from that one on together. `f` makes it along one axis.
void along(Importer& to, const FileNode& node, const std::function<Value(Value, std::int64_t)>& f) {
  const Value x = to.value(node, 0);
  const bool together = to.opset() < 13;
  const auto axis = to.axis(node, to.whole(node, "axis", together ? 1 : -1), x);
  if (!together || axis + 1 == std::ssize(x.shape())) return to.define(node, 0, f(x, axis));
  const Shape shape(x.shape().begin(), x.shape().end());  // of its own, as the graph grows
  Shape flat(shape.begin(), shape.begin() + axis);
  flat.push_back(product(std::span(shape).subspan(static_cast<std::size_t>(axis))));
  to.define(node, 0, to.reshaped(node, f(to.reshaped(node, x, flat), axis), shape));
}

void softmax(Importer& to, const FileNode& node, const char* op) {
  along(to, node, [&](Value x, std::int64_t axis) { return to.operation(node, op, {x}, str("axis = ", axis, '\n')); });
}

/// 1 at the first maximum, or the last one, else 0.
Value maximum_place(Importer& to, const FileNode& node, Value x, std::int64_t axis, bool last) {
  const auto key = str("axes = [", axis, "]\n");
  if (last) x = to.operation(node, "reverse", {x}, key);
  const Value first = to.operation(node, "first_max", {x}, key);
  return last ? to.operation(node, "reverse", {first}, key) : first;
}

void arg(Importer& to, const FileNode& node, bool least) {
  Value x = to.value(node, 0);
  const auto axis = to.axis(node, to.whole(node, "axis", 0), x);
  if (least) x = negative(to, node, x);
  const Value place = maximum_place(to, node, x, axis, to.whole(node, "select_last_index", 0) != 0);
  const auto extent = x.shape()[static_cast<std::size_t>(axis)];
  Shape row(x.shape().size() - static_cast<std::size_t>(axis), 1);
  row[0] = extent;
  std::vector<float> numbers;
  numbers.reserve(room_for(row));
  for (std::int64_t i = 0; i < extent; ++i) numbers.push_back(static_cast<float>(i));
  const Value places = to.operation(node, "mul", {place, to.fixed("places", row, std::move(numbers))});
  to.define(node, 0, reduced(to, node, "sum", places, {axis}, to.whole(node, "keepdims", 1) != 0));
}

}  // namespace

void import_ReduceMean(Importer& to, const FileNode& node) {
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, reduced(to, node, "mean", x, axes, keeps));
}

void import_ReduceSum(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 13, 0)) return;
  const auto [x, axes, keeps] = reduction(to, node, 13);
  to.define(node, 0, reduced(to, node, "sum", x, axes, keeps));
}

void import_ReduceMax(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, -std::numeric_limits<float>::infinity())) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, reduced(to, node, "max", x, axes, keeps));
}

void import_ReduceMin(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, std::numeric_limits<float>::infinity())) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0,
            axes.empty() ? x : negative(to, node, reduced(to, node, "max", negative(to, node, x), axes, keeps)));
}

void import_ReduceL1(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, 0)) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, reduced(to, node, "sum", unary(to, node, "abs", x), axes, keeps));
}

void import_ReduceSumSquare(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, 0)) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, reduced(to, node, "sum", square(to, node, x), axes, keeps));
}

void import_ReduceL2(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, 0)) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, unary(to, node, "sqrt", reduced(to, node, "sum", square(to, node, x), axes, keeps)));
}

void import_ReduceLogSum(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, -std::numeric_limits<float>::infinity())) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  to.define(node, 0, unary(to, node, "log", reduced(to, node, "sum", x, axes, keeps)));
}

/// m + ln Σ e^(x − m), m being the maximum, which no derivative needs to go through.
void import_ReduceLogSumExp(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, -std::numeric_limits<float>::infinity())) return;
  const auto [x, axes, keeps] = reduction(to, node, 18);
  if (axes.empty()) return to.define(node, 0, x);
  const Value most = reduced(to, node, "max", x, axes);
  const Value powers = unary(to, node, "exp", to.operation(node, "sub", {x, most}));
  const Value y = to.operation(node, "add", {most, unary(to, node, "log", reduced(to, node, "sum", powers, axes))});
  Shape shape = y.shape();
  if (!keeps) {
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) shape.erase(shape.begin() + *axis);
  }
  to.define(node, 0, to.reshaped(node, y, shape));
}

/// Halves are multiplied with halves.
void import_ReduceProd(Importer& to, const FileNode& node) {
  if (of_nothing(to, node, 18, 1)) return;
  auto [x, axes, keeps] = reduction(to, node, 18);
  for (const auto axis : axes) {
    const auto a = static_cast<std::size_t>(axis);
    if (x.shape()[a] > kMostFactors)
      to.fail(node, str("multiplies ", x.shape()[a], " numbers; at most ", kMostFactors, " are read here"));
    while (x.shape()[a] > 1) {
      const auto extent = x.shape()[a], half = extent / 2;
      const Value y = to.operation(
          node, "mul",
          {taken(to, node, x, axis, places_from(0, 1, half)), taken(to, node, x, axis, places_from(half, 1, half))});
      x = extent % 2 == 0
              ? y
              : to.operation(node, "concat", {y, taken(to, node, x, axis, {extent - 1})}, str("axis = ", axis, '\n'));
    }
  }
  Shape shape = x.shape();
  if (!keeps) {
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) shape.erase(shape.begin() + *axis);
  }
  to.define(node, 0, to.reshaped(node, x, shape));
}

void import_ArgMax(Importer& to, const FileNode& node) { arg(to, node, false); }
void import_ArgMin(Importer& to, const FileNode& node) { arg(to, node, true); }

void import_Softmax(Importer& to, const FileNode& node) { softmax(to, node, "softmax"); }
void import_LogSoftmax(Importer& to, const FileNode& node) { softmax(to, node, "log_softmax"); }
void import_Hardmax(Importer& to, const FileNode& node) {
  along(to, node, [&](Value x, std::int64_t axis) { return maximum_place(to, node, x, axis, false); });
}

void import_LpNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto p = to.whole(node, "p", 2);
  if (p != 1 && p != 2) to.fail(node, str("p is ", p));
  const auto axis = to.axis(node, to.whole(node, "axis", -1), x);
  const Value sum = reduced(to, node, "sum", p == 1 ? unary(to, node, "abs", x) : square(to, node, x), {axis});
  const Value norm = p == 1 ? sum : unary(to, node, "sqrt", sum);
  const Value is_zero = to.operation(node, "equal", {norm, to.number(0)});  // 0 stays 0
  to.define(node, 0, to.operation(node, "div", {x, to.operation(node, "add", {norm, is_zero})}));
}

void import_MeanVarianceNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto axes = to.axes(node, to.wholes(node, "axes", {0, 2, 3}), x);
  const Value deviation = to.operation(node, "sub", {x, reduced(to, node, "mean", x, axes)});
  const Value spread = unary(to, node, "sqrt", reduced(to, node, "mean", square(to, node, deviation), axes));
  to.define(node, 0, to.operation(node, "div", {deviation, to.operation(node, "add", {spread, to.number(1e-9)})}));
}

void import_RMSNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto axis = to.axis(node, to.whole(node, "axis", -1), x);
  const auto axes = places_from(axis, 1, std::ssize(x.shape()) - axis);
  const Value mean = reduced(to, node, "mean", square(to, node, x), axes);
  const Value root =
      unary(to, node, "sqrt", to.operation(node, "add", {mean, to.number(to.real(node, "epsilon", 1e-5F))}));
  const Value scale = to.aligned(node, 1, to.extents(node, 0).size());
  to.define(node, 0, to.operation(node, "mul", {to.operation(node, "div", {x, root}), scale}));
}

}  // namespace chalk::onnx
