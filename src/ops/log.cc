// y = ln x: −inf at 0, NaN below.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/log.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return log(x);
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

// dx = dy / x
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) { return {dy / in[0]}; }

}  // namespace

const Op op_log{.name = "log",
                .attributes = Attributes{},
                .arity = 1,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"\\ln(#1)"},
                .onnx = "Log",
                .exact = false,
                .samples = std::vector<Sample>{
                    {{}, {{{3, 4}, true, 0.3, 3}}}, {{}, {{{5}, false, 0.3, 3}}}, {{}, {{{}, true, 0.3, 3}}}}};

Value log(Value x) { return x.graph().apply(op_log, {}, {{x}}); }

}  // namespace chalk
#endif
