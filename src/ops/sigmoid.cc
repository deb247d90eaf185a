// y = 1 / (1 + e^−x), computed from e^−|x| so that nothing overflows and tails keep their precision.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/sigmoid.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  const auto negative = x < T(0);
  const T e = exp(select(negative, x, -x));
  return select(negative, e, T(1)) / (T(1) + e);
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

// dx = dy · y · (1 − y)
std::vector<Value> derivative(const Node&, std::span<const Value>, Value y, Value dy) {
  return {dy * (y * (y.graph().constant(1) - y))};
}

}  // namespace

const Op op_sigmoid{.name = "sigmoid",
                    .attributes = Attributes{},
                    .arity = 1,
                    .infer = elementwise_type,
                    .kernels = kKernels,
                    .derivative = derivative,
                    .formula = Formula{"\\sigma(#1)"},
                    .onnx = "Sigmoid",
                    .exact = false,
                    .samples = std::vector<Sample>{
                        {{}, {{{3, 4}, true, -3, 3}}}, {{}, {{{5}, false, -3, 3}}}, {{}, {{{}, true, -3, 3}}}}};

Value sigmoid(Value x) { return x.graph().apply(op_sigmoid, {}, {{x}}); }

}  // namespace chalk
#endif
