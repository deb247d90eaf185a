// Shape arithmetic shared by operations.
#pragma once

#include <array>

#include "src/ir/op.h"

namespace chalk {

constexpr std::size_t kMaxRank = 8;

/// A number per axis, without an allocation: kernels run inside a training step.
using PerAxis = std::array<std::int64_t, kMaxRank>;

/// Throws ShapeError if a shape has more than kMaxRank axes.
void check_rank(const Shape& shape);

/// The shape that `a` and `b` broadcast to, NumPy's way. Throws ShapeError.
Shape broadcast_shape(const Shape& a, const Shape& b);

/// Strides (in elements) with which `from` is read in the order of `to`; 0 along axes that it broadcasts over.
void broadcast_strides(const Shape& from, const Shape& to, std::int64_t* strides);

/// Row-major strides (in elements) of a shape of at most kMaxRank axes.
PerAxis strides_of(const Shape& shape);

/// Type of an elementwise operation: broadcast shapes; batched if any input is.
Type elementwise_type(const Attributes& attributes, std::span<const Type> inputs);

/// True if any of the inputs is batched.
bool any_batched(std::span<const Type> inputs);

/// Checks axes (increasing, in range of the shape); throws ShapeError.
void check_axes(std::span<const std::int64_t> axes, const Shape& shape);

/// `dy` summed over the axes along which a value of shape `to` was broadcast; of shape `to`.
Value sum_to_shape(Value dy, Shape to);

}  // namespace chalk
