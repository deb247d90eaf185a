// y = tanh x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/tanh.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return tanh(x);
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

// dx = dy · (1 − y²)
std::vector<Value> derivative(const Node&, std::span<const Value>, Value y, Value dy) {
  return {dy * (y.graph().constant(1) - y * y)};
}

}  // namespace

const Op op_tanh{.name = "tanh",
                 .attributes = Attributes{},
                 .arity = 1,
                 .infer = elementwise_type,
                 .kernels = kKernels,
                 .derivative = derivative,
                 .formula = Formula{"\\tanh(#1)"},
                 .onnx = "Tanh",
                 .exact = false,
                 .samples = std::vector<Sample>{
                     {{}, {{{3, 4}, true, -2, 2}}}, {{}, {{{5}, false, -2, 2}}}, {{}, {{{}, true, -2, 2}}}}};

Value tanh(Value x) { return x.graph().apply(op_tanh, {}, {{x}}); }

}  // namespace chalk
#endif
