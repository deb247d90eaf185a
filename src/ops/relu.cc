// relu(x) = max(0, x). Its derivative at 0 is 0; relu(NaN) is NaN.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/relu.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T x) {
  return select(x < T(0), T(0), x);
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

// dx = [y > 0] · dy
std::vector<Value> derivative(const Node&, std::span<const Value>, Value y, Value dy) {
  Graph& g = y.graph();
  return {select(greater(y, g.constant(0)), dy, g.constant(0))};
}

}  // namespace

const Op op_relu{.name = "relu",
                 .attributes = Attributes{},
                 .arity = 1,
                 .infer = elementwise_type,
                 .kernels = kKernels,
                 .derivative = derivative,
                 .formula = Formula{"\\max(0, #1)"},
                 .onnx = "Relu",
                 .exact = true,
                 .cheap = true,
                 .links = {{LinkKind::relu}},
                 .samples = std::vector<Sample>{
                     {{}, {{{3, 4}}}}, {{}, {{{5}, false}}}, {{}, {{{}}}}, {{}, {{{3, 4}, true, -1, 1, 1, false}}}}};

Value relu(Value x) { return x.graph().apply(op_relu, {}, {{x}}); }

}  // namespace chalk
#endif
