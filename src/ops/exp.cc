// y = e^x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/exp.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return exp(x);
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

// dx = dy · y
std::vector<Value> derivative(const Node&, std::span<const Value>, Value y, Value dy) { return {dy * y}; }

}  // namespace

const Op op_exp{.name = "exp",
                .attributes = Attributes{},
                .arity = 1,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"e^{#1}"},
                .onnx = "Exp",
                .exact = false,
                .samples = std::vector<Sample>{
                    {{}, {{{3, 4}, true, -2, 2}}}, {{}, {{{5}, false, -2, 2}}}, {{}, {{{}, true, -2, 2}}}}};

Value exp(Value x) { return x.graph().apply(op_exp, {}, {{x}}); }

}  // namespace chalk
#endif
