// Operations: each function appends one operation to its inputs' graph and returns the value. Shapes are of one sample;
// a result is batched if any input is. All throw ShapeError naming the current layer.
#pragma once

#include <array>

#include "chalkgrad/graph.h"

namespace chalk {

using Pair = std::array<std::int64_t, 2>;  ///< {vertical, horizontal}

// Elementwise; shapes broadcast as in NumPy (aligned at the last axis, extent 1 stretches).
Value add(Value a, Value b);
Value sub(Value a, Value b);
Value mul(Value a, Value b);
Value div(Value a, Value b);
Value neg(Value x);
Value relu(Value x);      ///< max(0, x); derivative 0 at 0
Value abs(Value x);       ///< derivative 0 at 0
Value sigmoid(Value x);   ///< 1 / (1 + e^−x)
Value softplus(Value x);  ///< ln(1 + e^x), without overflow
Value tanh(Value x);
Value erf(Value x);  ///< 2/√π ∫ e^−t² dt from 0 to x
Value exp(Value x);
Value expm1(Value x);             ///< e^x − 1, precise for small x too
Value log(Value x);               ///< natural; −inf at 0, NaN below
Value sqrt(Value x);              ///< NaN below 0
Value greater(Value a, Value b);  ///< 1 where a > b, else 0; derivative 0
Value equal(Value a, Value b);    ///< 1 where a = b, else 0; derivative 0
Value maximum(Value a, Value b);  ///< the derivative goes by halves to equal ones
Value minimum(Value a, Value b);
Value select(Value condition, Value yes, Value no);  ///< yes where condition ≠ 0, else no

inline Value operator+(Value a, Value b) { return add(a, b); }
inline Value operator-(Value a, Value b) { return sub(a, b); }
inline Value operator*(Value a, Value b) { return mul(a, b); }
inline Value operator/(Value a, Value b) { return div(a, b); }
inline Value operator-(Value x) { return neg(x); }

// Convolution of x [channels, height, width] with w [filters, channels/groups, kernel_h, kernel_w]:
//   y[o,p,q] = Σ_{c,a,b} w[o,c,a,b] · x[c, p·stride + a·dilation − padding, q·stride + b·dilation − padding]
// (a cross-correlation, as is usual in this field), with zeros outside x.
struct Conv2dOptions {
  Pair stride{1, 1}, padding{0, 0}, dilation{1, 1};
  std::int64_t groups = 1;
  bool operator==(const Conv2dOptions&) const = default;
};
Value conv2d(Value x, Value w, const Conv2dOptions& options = {});
/// Its derivative with respect to x (of shape `x`), applied to dy: the transposed convolution.
Value conv2d_input_grad(Value dy, Value w, const Shape& x, const Conv2dOptions& options = {});
/// Its derivative with respect to w (of shape `w`), applied to dy; one result per sample.
Value conv2d_weight_grad(Value x, Value dy, const Shape& w, const Conv2dOptions& options = {});

/// a [m, k] · b [k, n], either one transposed first.
Value matmul(Value a, Value b, bool transpose_a = false, bool transpose_b = false);
/// y = W·x for x [inputs], W [outputs, inputs]; transposed: y = Wᵀ·x for x [outputs].
Value dense(Value x, Value w, bool transposed = false);
/// y[i,j] = a[i] · b[j] for vectors a, b.
Value outer(Value a, Value b);

Value softmax(Value x, std::int64_t axis = 0);      ///< e^x / Σ e^x along the axis
Value log_softmax(Value x, std::int64_t axis = 0);  ///< x − ln Σ e^x, computed without overflow

// Pooling of x [channels, height, width]. Windows reaching into the padding ignore it (max) or count it as zeros
// (average).
struct PoolOptions {
  Pair window{2, 2}, stride{2, 2}, padding{0, 0};
  bool operator==(const PoolOptions&) const = default;
};
Value max_pool(Value x, const PoolOptions& options = {});
/// Which place of each window, row-major, holds its first maximum (0 … window_h·window_w − 1); derivative 0.
Value pool_argmax(Value x, const PoolOptions& options = {});
/// x at those places; has the shape of `index`.
Value pool_gather(Value x, Value index, const PoolOptions& options = {});
/// Its transpose: zeros of shape `x` with y added at those places.
Value pool_scatter(Value y, Value index, const Shape& x, const PoolOptions& options = {});
Value average_pool(Value x, const PoolOptions& options = {});
/// Its transpose: spreads dy evenly over the windows, to shape `x`.
Value average_pool_grad(Value dy, const Shape& x, const PoolOptions& options = {});

// Reductions over axes (increasing; none given: all); the axes vanish, or stay with extent 1 if `keep`.
Value sum(Value x, std::vector<std::int64_t> axes = {}, bool keep = false);
Value mean(Value x, std::vector<std::int64_t> axes = {}, bool keep = false);
/// The derivative goes to the first of equal ones (row-major).
Value max(Value x, std::vector<std::int64_t> axes = {}, bool keep = false);
/// The same maximum, whose derivative equal ones share: PyTorch's amax, and max of Keras, JAX and NumPy-like libraries.
Value amax(Value x, std::vector<std::int64_t> axes = {}, bool keep = false);
/// 1 at the first maximum (row-major) of each reduced group, 0 elsewhere; of x's shape; derivative 0.
Value first_max(Value x, std::vector<std::int64_t> axes = {});
/// √Σ x², made of other operations. Where all x are 0 its derivative, x / y elsewhere, is 0. In float, numbers beyond
/// 1.8·10¹⁹ have the norm ∞, and what is nearer to 0 than 10⁻²³ counts as 0.
Value norm(Value x, std::vector<std::int64_t> axes = {}, bool keep = false);
/// The norm of all of them together, as if they were one vector.
Value norm(std::span<const Value> xs);

Value broadcast(Value x, const Shape& shape);  ///< NumPy's broadcast_to
Value reshape(Value x, const Shape& shape);
Value transpose(Value x, std::vector<std::int64_t> permutation = {});  ///< axis i of y is axis permutation[i] of x
Value reverse(Value x, std::vector<std::int64_t> axes = {});  ///< the other way round along axes (none given: all)
Value pad(Value x, std::vector<std::int64_t> before, std::vector<std::int64_t> after);  ///< with zeros, per axis
Value slice(Value x, std::vector<std::int64_t> start, std::vector<std::int64_t> stop);  ///< [start, stop) per axis
Value concat(std::span<const Value> xs, std::int64_t axis = 0);

/// Σ over the samples of the batch: batched to shared.
Value batch_sum(Value x);
/// The same shared value for each sample: shared to batched. Its derivative is batch_sum, and vice versa.
Value batch_broadcast(Value x);

}  // namespace chalk
