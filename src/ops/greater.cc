// y = 1 where a > b, else 0. Constant almost everywhere: no derivative.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/greater.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T a, T b) {
  return select(a > b, T(1), T(0));
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

}  // namespace

const Op op_greater{
    .name = "greater",
    .attributes = Attributes{},
    .arity = 2,
    .infer = elementwise_type,
    .kernels = kKernels,
    .derivative = nullptr,
    .formula = Formula{"[#1 > #2]"},
    .onnx = "Greater",
    .exact = true,
    .cheap = true,
    .links = {{LinkKind::greater, LinkKind::less}},
    .samples = std::vector<Sample>{{{}, {{{3, 4}}, {{3, 4}}}},
                                   {{}, {{{2, 3, 4}}, {{3, 1}, false}}},
                                   {{}, {{{3, 5}, true, -1, 1, 0.5, false}, {{}, false, -1, 1, 0.5, false}}},
                                   {{}, {{{5}, false}, {{5}, false}}}}};

Value greater(Value a, Value b) { return a.graph().apply(op_greater, {}, {{a, b}}); }

}  // namespace chalk
#endif
