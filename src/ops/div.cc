// y = a / b elementwise, broadcast.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/div.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T a, T b) {
  return a / b;
}
CHALK_ELEMENTWISE_KERNEL(2)

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/ops.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH_ELEMENTWISE()

// da = dy / b, db = −dy · y / b, each summed over the axes it was broadcast along
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value y, Value dy) {
  const Value da = dy / in[1];
  return {sum_to_shape(da, in[0].shape()), neg(sum_to_shape(da * y, in[1].shape()))};
}

}  // namespace

const Op op_div{.name = "div",
                .attributes = Attributes{},
                .arity = 2,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"\\frac{#1}{#2}"},
                .onnx = "Div",
                .exact = true,
                .samples = std::vector<Sample>{{{}, {{{3, 4}}, {{3, 4}, true, 0.5, 2}}},
                                               {{}, {{{2, 3, 4}}, {{3, 1}, false, -2, -0.5}}},
                                               {{}, {{{1, 4}, false}, {{2, 3, 1}, true, 0.5, 2}}},
                                               {{}, {{{}}, {{2, 3}, false, 0.5, 2}}},
                                               {{}, {{{5}, false}, {{}, false, 0.5, 2}}}}};

Value div(Value a, Value b) { return a.graph().apply(op_div, {}, {{a, b}}); }

}  // namespace chalk
#endif
