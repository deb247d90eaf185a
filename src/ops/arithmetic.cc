// Arithmetic. Operands broadcast: the derivative for each is summed over the axes that it was broadcast along.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/arithmetic.cc"
#include <hwy/foreach_target.h>

#include "src/ops/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

// y = a + b; da = dy, db = dy
CHALK_FORMULA(add, (T a, T b)) { return a + b; }
CHALK_DERIVATIVE(add) { return {sum_to_shape(dy, in[0].shape()), sum_to_shape(dy, in[1].shape())}; }

// y = a − b; da = dy, db = −dy
CHALK_FORMULA(sub, (T a, T b)) { return a - b; }
CHALK_DERIVATIVE(sub) { return {sum_to_shape(dy, in[0].shape()), neg(sum_to_shape(dy, in[1].shape()))}; }

// y = a · b; da = dy · b, db = dy · a
CHALK_FORMULA(mul, (T a, T b)) { return a * b; }
CHALK_DERIVATIVE(mul) { return {sum_to_shape(dy * in[1], in[0].shape()), sum_to_shape(dy * in[0], in[1].shape())}; }

// y = a / b; da = dy / b, db = −dy · y / b
CHALK_FORMULA(div, (T a, T b)) { return a / b; }
CHALK_DERIVATIVE(div) {
  const Value da = dy / in[1];
  return {sum_to_shape(da, in[0].shape()), neg(sum_to_shape(da * y, in[1].shape()))};
}

// y = −x; dx = −dy
CHALK_FORMULA(neg, (T x)) { return -x; }
CHALK_DERIVATIVE(neg) { return {neg(dy)}; }

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_BINARY(add, .formula = Formula{"#1 + #2"}, .onnx = "Add", .exact = true, .cheap = true,
             .links = {{LinkKind::add, LinkKind::add}}, .samples = two_between(-1, 1));

CHALK_BINARY(sub, .formula = Formula{"#1 - #2"}, .onnx = "Sub", .exact = true, .cheap = true,
             .links = {{LinkKind::sub, LinkKind::sub_of}}, .samples = two_between(-1, 1));

CHALK_BINARY(mul, .formula = Formula{"#1 \\odot #2"}, .onnx = "Mul", .exact = true, .cheap = true,
             .links = {{LinkKind::mul, LinkKind::mul}, LinkKind::square}, .samples = two_between(-1, 1));

CHALK_BINARY(div, .formula = Formula{"\\frac{#1}{#2}"}, .onnx = "Div", .exact = true,
             .links = {{LinkKind::div, LinkKind::div_of}},
             .samples = joined(two_between(0.5, 2), {{{}, {{{2, 3, 4}}, {{3, 1}, false, -2, -0.5}}}}));

CHALK_UNARY(neg, .formula = Formula{"-#1"}, .onnx = "Neg", .exact = true, .cheap = true, .links = {{LinkKind::neg}},
            .samples = one_between(-1, 1));

}  // namespace chalk
#endif
