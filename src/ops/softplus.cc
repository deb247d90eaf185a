// y = ln(1 + e^x), computed from e = e^−|x| so that nothing overflows, and ln(1 + e) from the rounded u = 1 + e as
// e · ln u / (u − 1), whose errors cancel (Kahan), so that the tail keeps its precision.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/softplus.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  const auto negative = x < T(0);
  const T e = exp(select(negative, x, -x));
  const T u = T(1) + e;
  const T tail = select(u == T(1), e, log(u) * e / (u - T(1)));
  return select(negative, T(0), x) + tail;
}
CHALK_ELEMENTWISE_KERNEL(1)

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/ops.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH_ELEMENTWISE()

// dx = dy · σ(x)
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) { return {dy * sigmoid(in[0])}; }

}  // namespace

const Op op_softplus{.name = "softplus",
                     .attributes = Attributes{},
                     .arity = 1,
                     .infer = elementwise_type,
                     .kernels = kKernels,
                     .derivative = derivative,
                     .formula = Formula{"\\ln(1 + e^{#1})"},
                     .onnx = "Softplus",
                     .exact = false,
                     .samples = std::vector<Sample>{
                         {{}, {{{3, 4}, true, -3, 3}}}, {{}, {{{5}, false, -3, 3}}}, {{}, {{{}, true, -3, 3}}}}};

Value softplus(Value x) { return x.graph().apply(op_softplus, {}, {{x}}); }

}  // namespace chalk
#endif
