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

/// What an operation does, and an example: of which inputs its result has which shape.
std::string documented(std::string_view doc, std::string_view inputs, std::string_view call, std::string_view shape) {
  std::string text(doc);
  text.append(
      "\n\nRaises ShapeError, with the shapes, for operands that do not fit.\n\n>>> g = chalkgrad.Graph()\n>>> ");
  return text.append(inputs).append("\n>>> chalkgrad.").append(call).append(".shape\n").append(shape).append("\n");
}

void one(GraphModule& m, const char* name, Value (*f)(Value), const char* doc, std::string_view inputs,
         std::string_view shape) {
  m.def(name, f, "x"_a, documented(doc, inputs, std::string(name) + "(x)", shape).c_str());
}

/// Element by element: the result has the shape of x.
void each(GraphModule& m, const char* name, Value (*f)(Value), const char* doc) {
  one(m, name, f, doc, "x = g.input('x', (2, 3))", "(2, 3)");
}

/// Either of the two may be a number.
void two(GraphModule& m, const char* name, Value (*f)(Value, Value), const char* doc) {
  const auto text =
      documented(std::string(doc) + " Shapes broadcast as in NumPy; either may be a number.",
                 "a, b = g.input('a', (2, 3)), g.input('b', (3,))", std::string(name) + "(a, b)", "(2, 3)");
  m.def(name, f, "a"_a, "b"_a, text.c_str());
  m.def(
      name, [f](Value a, double b) { return f(a, constant_like(a, b)); }, "a"_a, "b"_a);
  m.def(
      name, [f](double a, Value b) { return f(constant_like(b, a), b); }, "a"_a, "b"_a);
}

void reduction(GraphModule& m, const char* name, Value (*f)(Value, Axes, bool), const char* doc) {
  const auto text =
      documented(std::string(doc) + " Axes, a number or several, vanish, or stay with extent 1 if `keep`.",
                 "x = g.input('x', (4, 5, 6))", std::string(name) + "(x, axes=(1, 2))", "(4,)");
  m.def(
      name, [f](Value x, nb::handle axes, bool keep) { return f(x, to_axes(axes), keep); }, "x"_a,
      "axes"_a = nb::none(), "keep"_a = false, text.c_str());
}

/// f(operands…, options): what Given are, and what they are called.
template <class... Given, class F, class... Names>
void convolution(GraphModule& m, const char* name, F f, const std::string& doc, const Names&... operands) {
  m.def(
      name,
      [f](Given... given, nb::handle stride, nb::handle padding, nb::handle dilation, std::int64_t groups) {
        return f(given..., conv_options(stride, padding, dilation, groups));
      },
      operands..., nb::kw_only(), "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1, "groups"_a = 1, doc.c_str());
}
template <class... Given, class F, class... Names>
void pooling(GraphModule& m, const char* name, F f, const std::string& doc, const Names&... operands) {
  m.def(
      name,
      [f](Given... given, nb::handle window, nb::handle stride, nb::handle padding) {
        return f(given..., pool_options(window, stride, padding));
      },
      operands..., "window"_a = 2, nb::kw_only(), "stride"_a = nb::none(), "padding"_a = 0, doc.c_str());
}

void bind_elementwise(GraphModule& m) {
  two(m, "add", &add, "a + b.");
  two(m, "sub", &sub, "a − b.");
  two(m, "mul", &mul, "a · b, element by element.");
  two(m, "div", &div, "a / b.");
  two(m, "greater", &greater, "1 where a > b, else 0; derivative 0.");
  two(m, "equal", &equal, "1 where a = b, else 0; derivative 0.");
  two(m, "maximum", &maximum, "The larger of both; the derivative goes by halves to equal ones.");
  two(m, "minimum", &minimum, "The smaller of both; the derivative goes by halves to equal ones.");
  m.def("select", &select, "condition"_a, "yes"_a, "no"_a,
        documented("yes where condition ≠ 0, else no; shapes broadcast.", "x = g.input('x', (3,))",
                   "select(chalkgrad.greater(x, 0), x, -x)", "(3,)")
            .c_str());
  each(m, "neg", &neg, "−x.");
  each(m, "relu", &relu, "max(0, x); derivative 0 at 0.");
  each(m, "abs", &abs, "|x|; derivative 0 at 0.");
  each(m, "sigmoid", &sigmoid, "1 / (1 + e^−x).");
  each(m, "softplus", &softplus, "ln(1 + e^x), without overflow.");
  each(m, "tanh", &tanh, "The hyperbolic tangent.");
  each(m, "erf", &erf, "2/√π ∫ e^−t² dt from 0 to x.");
  each(m, "exp", &exp, "e^x.");
  each(m, "expm1", &expm1, "e^x − 1, precise for small x too.");
  each(m, "log", &log, "The natural logarithm; −inf at 0, NaN below.");
  each(m, "sqrt", &sqrt, "The square root; NaN below 0.");
}

void bind_products(GraphModule& m) {
  convolution<Value, Value>(
      m, "conv2d", &conv2d,
      documented("The convolution (cross-correlation) of x (channels, rows, columns) with w (filters, channels/groups, "
                 "kernel rows, kernel columns). stride, padding, dilation: a number, or (vertical, horizontal), in "
                 "pixels.",
                 "x, w = g.input('x', (3, 8, 8)), g.parameter('w', (5, 3, 3, 3))", "conv2d(x, w, padding=1)",
                 "(5, 8, 8)"),
      "x"_a, "w"_a);
  convolution<Value, Value, nb::handle>(
      m, "conv2d_input_grad",
      [](Value dy, Value w, nb::handle x, const Conv2dOptions& o) { return conv2d_input_grad(dy, w, to_shape(x), o); },
      documented("conv2d's derivative with respect to x, of shape `x`, applied to dy: the transposed convolution.",
                 "dy, w = g.input('dy', (5, 6, 6)), g.parameter('w', (5, 3, 3, 3))",
                 "conv2d_input_grad(dy, w, (3, 8, 8))", "(3, 8, 8)"),
      "dy"_a, "w"_a, "x"_a);
  convolution<Value, Value, nb::handle>(
      m, "conv2d_weight_grad",
      [](Value x, Value dy, nb::handle w, const Conv2dOptions& o) { return conv2d_weight_grad(x, dy, to_shape(w), o); },
      documented("conv2d's derivative with respect to w, of shape `w`, applied to dy; one result per sample.",
                 "x, dy = g.input('x', (3, 8, 8)), g.input('dy', (5, 6, 6))", "conv2d_weight_grad(x, dy, (5, 3, 3, 3))",
                 "(5, 3, 3, 3)"),
      "x"_a, "dy"_a, "w"_a);
  m.def("matmul", &matmul, "a"_a, "b"_a, "transpose_a"_a = false, "transpose_b"_a = false,
        documented("a (m, k) times b (k, n), either one transposed first.",
                   "a, b = g.input('a', (2, 3)), g.input('b', (4, 3))", "matmul(a, b, transpose_b=True)", "(2, 4)")
            .c_str());
  m.def("dense", &dense, "x"_a, "w"_a, "transposed"_a = false,
        documented("W·x for x (inputs), W (outputs, inputs); transposed: Wᵀ·x for x (outputs).",
                   "x, w = g.input('x', (3,)), g.parameter('w', (2, 3))", "dense(x, w)", "(2,)")
            .c_str());
  m.def("outer", &outer, "a"_a, "b"_a,
        documented("y[i, j] = a[i] · b[j] for vectors.", "a, b = g.input('a', (2,)), g.input('b', (3,))", "outer(a, b)",
                   "(2, 3)")
            .c_str());
}

void bind_pooling(GraphModule& m) {
  constexpr std::string_view kImage = "x = g.input('x', (3, 8, 8))",
                             kChosen = "x = g.input('x', (3, 8, 8)); index = chalkgrad.pool_argmax(x)";
  pooling<Value>(
      m, "max_pool", &max_pool,
      documented("The maximum of each window of x (channels, rows, columns). window, stride, padding: a number, "
                 "or (vertical, horizontal), in pixels; stride: the window's size, if none is given.",
                 kImage, "max_pool(x, 3, stride=1, padding=1)", "(3, 8, 8)"),
      "x"_a);
  pooling<Value>(
      m, "average_pool", &average_pool,
      documented("The mean of each window, in which padding counts as zeros.", kImage, "average_pool(x)", "(3, 4, 4)"),
      "x"_a);
  pooling<Value, nb::handle>(
      m, "average_pool_grad",
      [](Value dy, nb::handle x, const PoolOptions& o) { return average_pool_grad(dy, to_shape(x), o); },
      documented("average_pool's transpose: spreads dy evenly over the windows, to shape `x`.",
                 "dy = g.input('dy', (3, 4, 4))", "average_pool_grad(dy, (3, 8, 8))", "(3, 8, 8)"),
      "dy"_a, "x"_a);
  pooling<Value>(m, "pool_argmax", &pool_argmax,
                 documented("Which place of each window, row-major, holds its first maximum; derivative 0.", kImage,
                            "pool_argmax(x)", "(3, 4, 4)"),
                 "x"_a);
  pooling<Value, Value>(
      m, "pool_gather", &pool_gather,
      documented("x at the places that pool_argmax says.", kChosen, "pool_gather(x, index)", "(3, 4, 4)"), "x"_a,
      "index"_a);
  pooling<Value, Value, nb::handle>(
      m, "pool_scatter",
      [](Value y, Value index, nb::handle x, const PoolOptions& o) { return pool_scatter(y, index, to_shape(x), o); },
      documented("pool_gather's transpose: zeros of shape `x` with y added at those places.", kChosen,
                 "pool_scatter(index, index, (3, 8, 8))", "(3, 8, 8)"),
      "y"_a, "index"_a, "x"_a);
  one(m, "global_average_pool", &global_average_pool, "The mean of each channel: a vector.", kImage, "(3,)");
  one(m, "global_max_pool", &global_max_pool, "The maximum of each channel: a vector.", kImage, "(3,)");
}

void bind_shapes(GraphModule& m) {
  constexpr std::string_view kVector = "x = g.input('x', (10,))", kMatrix = "x = g.input('x', (2, 3))";
  m.def("softmax", &softmax, "x"_a, "axis"_a = 0,
        documented("e^x / Σ e^x along the axis.", kVector, "softmax(x)", "(10,)").c_str());
  m.def("log_softmax", &log_softmax, "x"_a, "axis"_a = 0,
        documented("x − ln Σ e^x along the axis, without overflow.", kVector, "log_softmax(x)", "(10,)").c_str());
  reduction(m, "sum", &sum, "The sum over axes, or over all.");
  reduction(m, "mean", &mean, "The mean over axes, or over all.");
  reduction(m, "max", &max, "The maximum over axes, or over all; the derivative goes to the first of equal ones.");
  reduction(m, "amax", &amax, "The same maximum, whose derivative equal ones share.");
  reduction(m, "norm", static_cast<Value (*)(Value, Axes, bool)>(&norm),
            "√Σ x² over axes, or over all; derivative 0 at 0.");
  m.def(
      "first_max", [](Value x, nb::handle axes) { return first_max(x, to_axes(axes)); }, "x"_a, "axes"_a = nb::none(),
      documented("1 at the first maximum of each group, 0 elsewhere; derivative 0.", kVector, "first_max(x)", "(10,)")
          .c_str());
  m.def(
      "broadcast", [](Value x, nb::handle shape) { return broadcast(x, to_shape(shape)); }, "x"_a, "shape"_a,
      documented("NumPy's broadcast_to.", kMatrix, "broadcast(x, (4, 2, 3))", "(4, 2, 3)").c_str());
  m.def(
      "reshape", [](Value x, nb::handle shape) { return reshape(x, to_shape(shape)); }, "x"_a, "shape"_a,
      documented("The same elements, in row-major order, in another shape.", kMatrix, "reshape(x, (6,))", "(6,)")
          .c_str());
  m.def(
      "transpose", [](Value x, nb::handle permutation) { return transpose(x, to_axes(permutation)); }, "x"_a,
      "permutation"_a = nb::none(),
      documented("Axis i of the result is axis permutation[i] of x; without, the other way round.", kMatrix,
                 "transpose(x)", "(3, 2)")
          .c_str());
  m.def(
      "reverse", [](Value x, nb::handle axes) { return reverse(x, to_axes(axes)); }, "x"_a, "axes"_a = nb::none(),
      documented("x the other way round along axes, or all.", kMatrix, "reverse(x, 1)", "(2, 3)").c_str());
  m.def(
      "pad", [](Value x, nb::handle before, nb::handle after) { return pad(x, to_shape(before), to_shape(after)); },
      "x"_a, "before"_a, "after"_a,
      documented("x with so many zeros before and after it, per axis.", kMatrix, "pad(x, (0, 1), (0, 2))", "(2, 6)")
          .c_str());
  m.def(
      "slice", [](Value x, nb::handle start, nb::handle stop) { return slice(x, to_shape(start), to_shape(stop)); },
      "x"_a, "start"_a, "stop"_a,
      documented("x from start to below stop, per axis.", kMatrix, "slice(x, (0, 1), (2, 3))", "(2, 2)").c_str());
  m.def(
      "concat", [](const std::vector<Value>& xs, std::int64_t axis) { return concat(xs, axis); }, "xs"_a, "axis"_a = 0,
      documented("Values one after the other along an axis.", kMatrix, "concat([x, x])", "(4, 3)").c_str());
  one(m, "batch_sum", &batch_sum, "Σ over the samples of the batch: batched to shared.", kVector, "(10,)");
  one(m, "batch_broadcast", &batch_broadcast, "The same shared value for each sample: shared to batched.",
      "x = g.parameter('x', (10,))", "(10,)");
  one(m, "batch_mean", static_cast<Value (*)(Value)>(&batch_mean),
      "The mean over the samples of the batch: batched to shared.", kVector, "(10,)");
}

void bind_activations(GraphModule& m) {
  const auto with_number = [&m](const char* name, Value (*f)(Value, double), const char* number, double usual,
                                const char* doc) {
    const auto text = documented(doc, "x = g.input('x', (2, 3))", std::string(name) + "(x, 0.2)", "(2, 3)");
    m.def(name, f, "x"_a, nb::arg(number) = usual, text.c_str());
  };
  with_number("leaky_relu", &leaky_relu, "slope", 0.01, "max(x, slope·x).");
  with_number("elu", &elu, "alpha", 1.0, "x where x > 0, else α (e^x − 1).");
  with_number("celu", &celu, "alpha", 1.0, "x where x > 0, else α (e^(x/α) − 1).");
  each(m, "relu6", &relu6, "min(max(0, x), 6).");
  each(m, "hard_tanh", &hard_tanh, "min(max(−1, x), 1).");
  each(m, "hard_sigmoid", &hard_sigmoid, "relu6(x + 3) / 6.");
  each(m, "hard_swish", &hard_swish, "x · hard_sigmoid(x).");
  each(m, "selu", &selu, "λ · elu(x, α), λ = 1.0507…, α = 1.6733….");
  each(m, "gelu", &gelu, "x · ½ (1 + erf(x/√2)).");
  each(m, "gelu_tanh", &gelu_tanh, "½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).");
  each(m, "silu", &silu, "x · σ(x), or swish.");
  each(m, "mish", &mish, "x · tanh(softplus(x)).");
  each(m, "log_sigmoid", &log_sigmoid, "ln σ(x), without overflow.");
  each(m, "softsign", &softsign, "x / (1 + |x|).");
  each(m, "scaled_tanh", &scaled_tanh, "1.7159 tanh(2x/3).");
}

}  // namespace

void bind_operations(nb::module_& module) {
  GraphModule m(module);
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
      "network's output, of a classifier what goes into its softmax; the target has its shape.\n\n"
      "Raises InputError for a name that there is not, ShapeError for a target that does not fit.\n\n"
      ">>> g = chalkgrad.Graph()\n"
      ">>> y, t = g.input('y', (3,)), g.input('t', (3,), distribution=True)\n"
      ">>> chalkgrad.loss_of('cross-entropy', y, t).shape\n()\n");
}

}  // namespace chalk::python
