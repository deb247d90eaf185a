// y = −x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/neg.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return -x;
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

// dx = −dy
std::vector<Value> derivative(const Node&, std::span<const Value>, Value, Value dy) { return {neg(dy)}; }

}  // namespace

const Op op_neg{.name = "neg",
                .attributes = Attributes{},
                .arity = 1,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"-#1"},
                .onnx = "Neg",
                .exact = true,
                .cheap = true,
                .links = {{LinkKind::neg}},
                .samples = std::vector<Sample>{{{}, {{{3, 4}}}}, {{}, {{{5}, false}}}, {{}, {{{}}}}}};

Value neg(Value x) { return x.graph().apply(op_neg, {}, {{x}}); }

}  // namespace chalk
#endif
