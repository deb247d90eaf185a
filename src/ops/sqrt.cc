// y = √x: NaN below 0.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/sqrt.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return sqrt(x);
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

// dx = dy / (2y)
std::vector<Value> derivative(const Node&, std::span<const Value>, Value y, Value dy) {
  return {dy / (y.graph().constant(2) * y)};
}

}  // namespace

const Op op_sqrt{.name = "sqrt",
                 .attributes = Attributes{},
                 .arity = 1,
                 .infer = elementwise_type,
                 .kernels = kKernels,
                 .derivative = derivative,
                 .formula = Formula{"\\sqrt{#1}"},
                 .onnx = "Sqrt",
                 .exact = true,
                 .samples = std::vector<Sample>{
                     {{}, {{{3, 4}, true, 0.3, 3}}}, {{}, {{{5}, false, 0.3, 3}}}, {{}, {{{}, true, 0.3, 3}}}}};

Value sqrt(Value x) { return x.graph().apply(op_sqrt, {}, {{x}}); }

}  // namespace chalk
#endif
