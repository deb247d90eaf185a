#include "src/ops/kernel.h"

#include <algorithm>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"

namespace chalk {

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const auto rank = std::max(a.size(), b.size());
  Shape shape(rank);
  for (std::size_t i = 1; i <= rank; ++i) {
    const std::int64_t m = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t n = i <= b.size() ? b[b.size() - i] : 1;
    if (m != n && m != 1 && n != 1) {
      throw ShapeError(str(to_string(a), " and ", to_string(b), " do not fit together (", m, " against ", n,
                           "); make the extents equal, or 1 to broadcast"));
    }
    shape[rank - i] = std::max(m, n);
  }
  return shape;
}

void check_rank(const Shape& shape) {
  if (shape.size() > kMaxRank) {
    throw ShapeError(str("at most ", kMaxRank, " axes are supported, not the ", shape.size(), " of ", to_string(shape),
                         "; reshape neighbouring axes into one"));
  }
}

PerAxis strides_of(const Shape& shape) {
  PerAxis strides{};
  std::int64_t step = 1;
  for (auto i = shape.size(); i-- > 0; step *= shape[i]) strides[i] = step;
  return strides;
}

void broadcast_strides(const Shape& from, const Shape& to, std::int64_t* strides) {
  std::int64_t step = 1;
  for (std::size_t i = 1; i <= to.size(); ++i) {
    const std::int64_t extent = i <= from.size() ? from[from.size() - i] : 1;
    strides[to.size() - i] = extent == 1 ? 0 : step;
    step *= extent;
  }
}

bool any_batched(std::span<const Type> inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const Type& t) { return t.batched; });
}

Type elementwise_type(const Attributes&, std::span<const Type> inputs) {
  Shape shape = inputs[0].shape;
  for (const auto& input : inputs.subspan(1)) shape = broadcast_shape(shape, input.shape);
  check_rank(shape);
  return {std::move(shape), any_batched(inputs)};
}

void check_axes(std::span<const std::int64_t> axes, const Shape& shape) {
  std::int64_t last = -1;
  for (const auto axis : axes) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(shape.size())) {
      throw ShapeError(str(to_string(shape), " has no axis ", axis,
                           shape.empty() ? "; a scalar has none at all"
                                         : str("; use one of 0 … ", shape.size() - 1, ", counted from the left")));
    }
    if (axis <= last)
      throw ShapeError(str("axis ", axis, " stands after axis ", last, "; name each axis once, in increasing order"));
    last = axis;
  }
}

Value sum_to_shape(Value dy, Shape to) {  // a copy, since a node's own shape may move when nodes are appended
  if (dy.shape() == to) return dy;
  const Shape& from = dy.shape();
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto missing = from.size() - to.size();
    if (i < missing || (to[i - missing] == 1 && from[i] != 1)) axes.push_back(static_cast<std::int64_t>(i));
  }
  const Value total = axes.empty() ? dy : sum(dy, axes);
  return total.shape() == to ? total : reshape(total, to);
}

}  // namespace chalk
