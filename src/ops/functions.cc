// Functions of one value.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/functions.cc"
#include <hwy/foreach_target.h>

#include <numbers>

#include "src/ops/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

// y = e^x; dx = dy · y
CHALK_FORMULA(exp, (T x)) { return exp(x); }
CHALK_DERIVATIVE(exp) { return {dy * y}; }

// y = e^x − 1, precise for small x too; dx = dy · (y + 1). That is e^x within 2⁻²⁴ of 1, so that below x = −8 it is off
// by up to a ten-thousandth of itself or more, and below −17.4 it is 0. e^x itself, as PyTorch has it, would be a
// second exponential: it made elu's kernel 38 % slower, and a small network's training step 10 %.
CHALK_FORMULA(expm1, (T x)) { return expm1(x); }
CHALK_DERIVATIVE(expm1) { return {dy * (y + y.graph().constant(1))}; }

// y = ln x: −inf at 0, NaN below; dx = dy / x
CHALK_FORMULA(log, (T x)) { return log(x); }
CHALK_DERIVATIVE(log) { return {dy / in[0]}; }

// y = √x: NaN below 0; dx = dy / (2y)
CHALK_FORMULA(sqrt, (T x)) { return sqrt(x); }
CHALK_DERIVATIVE(sqrt) { return {dy / (y.graph().constant(2) * y)}; }

// y = max(0, x), and NaN for NaN; dx = [y > 0] · dy: 0 at 0
CHALK_FORMULA(relu, (T x)) { return select(x < T(0), T(0), x); }
CHALK_DERIVATIVE(relu) {
  Graph& g = y.graph();
  return {select(greater(y, g.constant(0)), dy, g.constant(0))};
}

// y = |x|; dx = dy · sign x: 0 at 0
CHALK_FORMULA(abs, (T x)) { return select(x > T(0), x, T(0) - x); }
CHALK_DERIVATIVE(abs) {
  const Value zero = y.graph().constant(0);
  return {select(greater(in[0], zero), dy, select(greater(zero, in[0]), neg(dy), zero))};
}

// y = 1 / (1 + e^−x), computed from e^−|x| so that nothing overflows and tails keep their precision;
// dx = dy · y · (1 − y)
CHALK_FORMULA(sigmoid, (T x)) {
  const auto negative = x < T(0);
  const T e = exp(select(negative, x, -x));
  return select(negative, e, T(1)) / (T(1) + e);
}
CHALK_DERIVATIVE(sigmoid) { return {dy * (y * (y.graph().constant(1) - y))}; }

// y = ln(1 + e^x), computed from e = e^−|x| so that nothing overflows, and ln(1 + e) from the rounded u = 1 + e as
// e · ln u / (u − 1), whose errors cancel (Kahan), so that the tail keeps its precision; dx = dy · σ(x)
CHALK_FORMULA(softplus, (T x)) {
  const auto negative = x < T(0);
  const T e = exp(select(negative, x, -x));
  const T u = T(1) + e;
  const T tail = select(u == T(1), e, log(u) * e / (u - T(1)));
  return select(negative, T(0), x) + tail;
}
CHALK_DERIVATIVE(softplus) { return {dy * sigmoid(in[0])}; }

// y = tanh x; dx = dy · (1 − y²)
CHALK_FORMULA(tanh, (T x)) { return tanh(x); }
CHALK_DERIVATIVE(tanh) { return {dy * (y.graph().constant(1) - y * y)}; }

// y = erf x = 2/√π ∫ e^−t² dt from 0 to x; dx = dy · 2/√π · e^−x²
CHALK_FORMULA(erf, (T x)) { return erf(x); }
CHALK_DERIVATIVE(erf) {
  const Value x = in[0];
  return {dy * (y.graph().constant(2 * std::numbers::inv_sqrtpi) * exp(neg(x * x)))};
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
namespace {

std::vector<Sample> one_with_zeros() { return joined(one_between(-1, 1), {{{}, {{{3, 4}, true, -1, 1, 1, false}}}}); }

}  // namespace

CHALK_UNARY(exp, .formula = Formula{"e^{#1}"}, .onnx = "Exp", .exact = false, .samples = one_between(-2, 2));

CHALK_UNARY(expm1, .formula = Formula{"e^{#1} - 1"}, .onnx = "", .exact = false, .samples = one_between(-2, 2));

CHALK_UNARY(log, .formula = Formula{"\\ln(#1)"}, .onnx = "Log", .exact = false, .samples = one_between(0.3, 3));

CHALK_UNARY(sqrt, .formula = Formula{"\\sqrt{#1}"}, .onnx = "Sqrt", .exact = true, .links = {{LinkKind::sqrt}},
            .samples = one_between(0.3, 3));

CHALK_UNARY(relu, .formula = Formula{"\\max(0, #1)"}, .onnx = "Relu", .exact = true, .kink = {"relu'(0) = 0", "0", "0"},
            .cheap = true, .links = {{LinkKind::relu}}, .samples = one_with_zeros());

CHALK_UNARY(abs, .formula = Formula{"\\lvert #1 \\rvert"}, .onnx = "Abs", .exact = true,
            .kink = {"abs'(0) = 0", "0", "0"}, .cheap = true, .samples = one_with_zeros());

CHALK_UNARY(sigmoid, .formula = Formula{"\\sigma(#1)"}, .onnx = "Sigmoid", .exact = false,
            .samples = one_between(-3, 3));

CHALK_UNARY(softplus, .formula = Formula{"\\ln(1 + e^{#1})"}, .onnx = "Softplus", .exact = false,
            .samples = one_between(-3, 3));

CHALK_UNARY(tanh, .formula = Formula{"\\tanh(#1)"}, .onnx = "Tanh", .exact = false, .samples = one_between(-2, 2));

CHALK_UNARY(erf, .formula = Formula{"\\operatorname{erf}(#1)"}, .onnx = "Erf", .exact = false,
            .samples = one_between(-2, 2));

}  // namespace chalk
#endif
