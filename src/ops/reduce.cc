#include "src/ops/reduce.h"

#include <algorithm>

#include "chalkgrad/ops.h"

namespace chalk {
namespace {

bool reduces(std::span<const std::int64_t> axes, std::size_t axis) {
  return axes.empty() || std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

}  // namespace

Reduction::Reduction(std::span<const std::int64_t> axes, const Shape& x) {
  const auto strides = strides_of(x);
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool reduced = reduces(axes, d);
    Axes& in = reduced ? reduced_ : kept_;
    in.extents[in.count] = x[d];
    in.strides[in.count++] = strides[d];
    (reduced ? size_ : groups_) *= x[d];
  }
  bool neighbours = true;
  for (std::size_t d = 1; d < reduced_.count; ++d) {
    neighbours &= reduced_.strides[d - 1] == reduced_.strides[d] * reduced_.extents[d];
  }
  if (neighbours) even_ = reduced_.count == 0 ? 0 : reduced_.strides[reduced_.count - 1];
}

Type reduced_type(const Attributes& attributes, std::span<const Type> in) {
  const auto& a = attributes.as<ReduceAttributes>();
  const Shape& x = in[0].shape;
  check_rank(x);
  check_axes(a.axes, x);
  Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!reduces(a.axes, d)) {
      shape.push_back(x[d]);
    } else if (a.keep) {
      shape.push_back(1);
    }
  }
  return {std::move(shape), in[0].batched};
}

Value expand_reduced(Value y, std::span<const std::int64_t> axes, Shape shape) {  // a copy: see sum_to_shape
  Shape kept;
  for (std::size_t d = 0; d < shape.size(); ++d) kept.push_back(reduces(axes, d) ? 1 : shape[d]);
  if (y.shape() != kept) y = reshape(y, kept);
  return y.shape() == shape ? y : broadcast(y, shape);
}

std::vector<Sample> reduce_samples() {
  return {{ReduceAttributes{}, {{{2, 3}}}},
          {ReduceAttributes{{1}, true}, {{{2, 3, 4}}}},
          {ReduceAttributes{{0, 2}, false}, {{{2, 3, 4}}}},
          {ReduceAttributes{{1, 2}, false}, {{{2, 3, 2, 2}}}},
          {ReduceAttributes{{0}, false}, {{{5}, false}}},
          {ReduceAttributes{}, {{{}}}},
          {ReduceAttributes{{0, 1}, true}, {{{3, 4}, true, -1, 1, 0.5, false}}}};
}

}  // namespace chalk
