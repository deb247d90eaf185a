// ops.h, losses.h, and what layers.h has without parameters: functions that append to the graph of their arguments.
#include <nanobind/stl/vector.h>

#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "python/src/value.h"

namespace chalk::python {
namespace {

using Axes = std::vector<std::int64_t>;

/// 2, or (2, 3): vertical, horizontal.
Pair to_pair(nb::handle pair) {
  const auto both = to_shape(pair);
  if (both.size() == 1) return {both[0], both[0]};
  if (both.size() != 2) throw nb::type_error("give a number, or two: vertical, horizontal");
  return {both[0], both[1]};
}

/// None, an axis or several.
Axes to_axes(nb::handle axes) { return axes.is_none() ? Axes{} : to_shape(axes); }

Conv2dOptions conv_options(nb::handle stride, nb::handle padding, nb::handle dilation, std::int64_t groups) {
  return {to_pair(stride), to_pair(padding), to_pair(dilation), groups};
}

PoolOptions pool_options(nb::handle window, nb::handle stride, nb::handle padding) {
  const auto size = to_pair(window);
  return {size, stride.is_none() ? size : to_pair(stride), to_pair(padding)};
}

void one(nb::module_& m, const char* name, Value (*f)(Value), const char* doc) { m.def(name, f, "x"_a, doc); }

/// Either of the two may be a number.
void two(nb::module_& m, const char* name, Value (*f)(Value, Value), const char* doc) {
  m.def(name, f, "a"_a, "b"_a, doc);
  m.def(
      name, [f](Value a, double b) { return f(a, constant_like(a, b)); }, "a"_a, "b"_a);
  m.def(
      name, [f](double a, Value b) { return f(constant_like(b, a), b); }, "a"_a, "b"_a);
}

void reduction(nb::module_& m, const char* name, Value (*f)(Value, Axes, bool), const char* doc) {
  m.def(
      name, [f](Value x, nb::handle axes, bool keep) { return f(x, to_axes(axes), keep); }, "x"_a,
      "axes"_a = nb::none(), "keep"_a = false, doc);
}

void bind_elementwise(nb::module_& m) {
  two(m, "add", &add, "a + b; shapes broadcast as in NumPy.");
  two(m, "sub", &sub, "a − b.");
  two(m, "mul", &mul, "a · b, element by element.");
  two(m, "div", &div, "a / b.");
  two(m, "greater", &greater, "1 where a > b, else 0; derivative 0.");
  two(m, "equal", &equal, "1 where a = b, else 0; derivative 0.");
  two(m, "maximum", &maximum, "The larger of both; the derivative goes by halves to equal ones.");
  two(m, "minimum", &minimum, "The smaller of both; the derivative goes by halves to equal ones.");
  m.def("select", &select, "condition"_a, "yes"_a, "no"_a, "yes where condition ≠ 0, else no.");
  one(m, "neg", &neg, "−x.");
  one(m, "relu", &relu, "max(0, x); derivative 0 at 0.");
  one(m, "abs", &abs, "|x|; derivative 0 at 0.");
  one(m, "sigmoid", &sigmoid, "1 / (1 + e^−x).");
  one(m, "softplus", &softplus, "ln(1 + e^x), without overflow.");
  one(m, "tanh", &tanh, "The hyperbolic tangent.");
  one(m, "erf", &erf, "2/√π ∫ e^−t² dt from 0 to x.");
  one(m, "exp", &exp, "e^x.");
  one(m, "expm1", &expm1, "e^x − 1, precise for small x too.");
  one(m, "log", &log, "The natural logarithm; −inf at 0, NaN below.");
  one(m, "sqrt", &sqrt, "The square root; NaN below 0.");
}

void bind_products(nb::module_& m) {
  m.def(
      "conv2d",
      [](Value x, Value w, nb::handle stride, nb::handle padding, nb::handle dilation, std::int64_t groups) {
        return conv2d(x, w, conv_options(stride, padding, dilation, groups));
      },
      "x"_a, "w"_a, nb::kw_only(), "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1, "groups"_a = 1,
      "The convolution (cross-correlation) of x (channels, rows, columns) with w (filters, channels/groups, kernel "
      "rows, "
      "kernel columns). stride, padding, dilation: a number, or (vertical, horizontal).");
  m.def(
      "conv2d_input_grad",
      [](Value dy, Value w, nb::handle x, nb::handle stride, nb::handle padding, nb::handle dilation,
         std::int64_t groups) {
        return conv2d_input_grad(dy, w, to_shape(x), conv_options(stride, padding, dilation, groups));
      },
      "dy"_a, "w"_a, "x"_a, nb::kw_only(), "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1, "groups"_a = 1,
      "conv2d's derivative with respect to x, of shape `x`, applied to dy: the transposed convolution.");
  m.def(
      "conv2d_weight_grad",
      [](Value x, Value dy, nb::handle w, nb::handle stride, nb::handle padding, nb::handle dilation,
         std::int64_t groups) {
        return conv2d_weight_grad(x, dy, to_shape(w), conv_options(stride, padding, dilation, groups));
      },
      "x"_a, "dy"_a, "w"_a, nb::kw_only(), "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1, "groups"_a = 1,
      "conv2d's derivative with respect to w, of shape `w`, applied to dy; one result per sample.");
  m.def("matmul", &matmul, "a"_a, "b"_a, "transpose_a"_a = false, "transpose_b"_a = false,
        "a (m, k) times b (k, n), either one transposed first.");
  m.def("dense", &dense, "x"_a, "w"_a, "transposed"_a = false,
        "W·x for x (inputs), W (outputs, inputs); transposed: Wᵀ·x for x (outputs).");
  m.def("outer", &outer, "a"_a, "b"_a, "y[i, j] = a[i] · b[j] for vectors.");
}

void bind_pooling(nb::module_& m) {
  m.def(
      "max_pool",
      [](Value x, nb::handle window, nb::handle stride, nb::handle padding) {
        return max_pool(x, pool_options(window, stride, padding));
      },
      "x"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "The maximum of each window of x (channels, rows, columns); stride: the window's size, if none is given.");
  m.def(
      "average_pool",
      [](Value x, nb::handle window, nb::handle stride, nb::handle padding) {
        return average_pool(x, pool_options(window, stride, padding));
      },
      "x"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "The mean of each window, in which padding counts as zeros.");
  m.def(
      "average_pool_grad",
      [](Value dy, nb::handle x, nb::handle window, nb::handle stride, nb::handle padding) {
        return average_pool_grad(dy, to_shape(x), pool_options(window, stride, padding));
      },
      "dy"_a, "x"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "average_pool's transpose: spreads dy evenly over the windows, to shape `x`.");
  m.def(
      "pool_argmax",
      [](Value x, nb::handle window, nb::handle stride, nb::handle padding) {
        return pool_argmax(x, pool_options(window, stride, padding));
      },
      "x"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "Which place of each window, row-major, holds its first maximum; derivative 0.");
  m.def(
      "pool_gather",
      [](Value x, Value index, nb::handle window, nb::handle stride, nb::handle padding) {
        return pool_gather(x, index, pool_options(window, stride, padding));
      },
      "x"_a, "index"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "x at the places that pool_argmax says.");
  m.def(
      "pool_scatter",
      [](Value y, Value index, nb::handle x, nb::handle window, nb::handle stride, nb::handle padding) {
        return pool_scatter(y, index, to_shape(x), pool_options(window, stride, padding));
      },
      "y"_a, "index"_a, "x"_a, "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0,
      "pool_gather's transpose: zeros of shape `x` with y added at those places.");
  one(m, "global_average_pool", &global_average_pool, "The mean of each channel: a vector.");
  one(m, "global_max_pool", &global_max_pool, "The maximum of each channel: a vector.");
}

void bind_shapes(nb::module_& m) {
  m.def("softmax", &softmax, "x"_a, "axis"_a = 0, "e^x / Σ e^x along the axis.");
  m.def("log_softmax", &log_softmax, "x"_a, "axis"_a = 0, "x − ln Σ e^x along the axis, without overflow.");
  reduction(m, "sum", &sum, "The sum over axes, or over all; they vanish, or stay with extent 1 if `keep`.");
  reduction(m, "mean", &mean, "The mean over axes, or over all.");
  reduction(m, "max", &max, "The maximum over axes, or over all; the derivative goes to the first of equal ones.");
  reduction(m, "amax", &amax, "The same maximum, whose derivative equal ones share.");
  reduction(m, "norm", static_cast<Value (*)(Value, Axes, bool)>(&norm),
            "√Σ x² over axes, or over all; derivative 0 at 0.");
  m.def(
      "first_max", [](Value x, nb::handle axes) { return first_max(x, to_axes(axes)); }, "x"_a, "axes"_a = nb::none(),
      "1 at the first maximum of each group, 0 elsewhere; derivative 0.");
  m.def(
      "broadcast", [](Value x, nb::handle shape) { return broadcast(x, to_shape(shape)); }, "x"_a, "shape"_a,
      "NumPy's broadcast_to.");
  m.def(
      "reshape", [](Value x, nb::handle shape) { return reshape(x, to_shape(shape)); }, "x"_a, "shape"_a,
      "The same elements, in row-major order, in another shape.");
  m.def(
      "transpose", [](Value x, nb::handle permutation) { return transpose(x, to_axes(permutation)); }, "x"_a,
      "permutation"_a = nb::none(), "Axis i of the result is axis permutation[i] of x; without, the other way round.");
  m.def(
      "reverse", [](Value x, nb::handle axes) { return reverse(x, to_axes(axes)); }, "x"_a, "axes"_a = nb::none(),
      "x the other way round along axes, or all.");
  m.def(
      "pad", [](Value x, nb::handle before, nb::handle after) { return pad(x, to_shape(before), to_shape(after)); },
      "x"_a, "before"_a, "after"_a, "x with so many zeros before and after it, per axis.");
  m.def(
      "slice", [](Value x, nb::handle start, nb::handle stop) { return slice(x, to_shape(start), to_shape(stop)); },
      "x"_a, "start"_a, "stop"_a, "x from start to below stop, per axis.");
  m.def(
      "concat", [](const std::vector<Value>& xs, std::int64_t axis) { return concat(xs, axis); }, "xs"_a, "axis"_a = 0,
      "Values one after the other along an axis.");
  one(m, "batch_sum", &batch_sum, "Σ over the samples of the batch: batched to shared.");
  one(m, "batch_broadcast", &batch_broadcast, "The same shared value for each sample: shared to batched.");
  one(m, "batch_mean", static_cast<Value (*)(Value)>(&batch_mean),
      "The mean over the samples of the batch: batched to shared.");
}

void bind_activations(nb::module_& m) {
  m.def("leaky_relu", &leaky_relu, "x"_a, "slope"_a = 0.01, "max(x, slope·x).");
  m.def("elu", &elu, "x"_a, "alpha"_a = 1.0, "x where x > 0, else α (e^x − 1).");
  m.def("celu", &celu, "x"_a, "alpha"_a = 1.0, "x where x > 0, else α (e^(x/α) − 1).");
  one(m, "relu6", &relu6, "min(max(0, x), 6).");
  one(m, "hard_tanh", &hard_tanh, "min(max(−1, x), 1).");
  one(m, "hard_sigmoid", &hard_sigmoid, "relu6(x + 3) / 6.");
  one(m, "hard_swish", &hard_swish, "x · hard_sigmoid(x).");
  one(m, "selu", &selu, "λ · elu(x, α), λ = 1.0507…, α = 1.6733….");
  one(m, "gelu", &gelu, "x · ½ (1 + erf(x/√2)).");
  one(m, "gelu_tanh", &gelu_tanh, "½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).");
  one(m, "silu", &silu, "x · σ(x), or swish.");
  one(m, "mish", &mish, "x · tanh(softplus(x)).");
  one(m, "log_sigmoid", &log_sigmoid, "ln σ(x), without overflow.");
  one(m, "softsign", &softsign, "x / (1 + |x|).");
  one(m, "scaled_tanh", &scaled_tanh, "1.7159 tanh(2x/3).");
}

}  // namespace

void bind_operations(nb::module_& m) {
  bind_elementwise(m);
  bind_products(m);
  bind_pooling(m);
  bind_shapes(m);
  bind_activations(m);
  m.def(
      "loss_of",
      [](const std::string& loss, Value y, Value target) {
        if (const auto found = find_loss(loss)) return batch_mean(sample_loss(*found, y, target));
        throw InputError("there is no loss '" + loss + "'; chalkgrad.losses() lists them");
      },
      "loss"_a, "y"_a, "target"_a,
      "The mean over the batch of a loss by its name (losses()), with its usual options: a shared scalar. y is the "
      "network's output, of a classifier what goes into its softmax; the target has its shape.");
}

}  // namespace chalk::python
