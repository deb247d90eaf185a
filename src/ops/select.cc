// y = yes where condition ≠ 0 (NaN is ≠ 0), else no; broadcast.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/select.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T condition, T yes, T no) {
  return select(condition == T(0), no, yes);
}
CHALK_ELEMENTWISE_KERNEL(3)

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/ops.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH_ELEMENTWISE()

// dyes = dy where condition ≠ 0, dno = dy elsewhere, each summed over the axes it was broadcast along.
// The condition has none: y is constant in it almost everywhere.
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  const Value zero = dy.graph().constant(0);
  return {
      {}, sum_to_shape(select(in[0], dy, zero), in[1].shape()), sum_to_shape(select(in[0], zero, dy), in[2].shape())};
}

}  // namespace

const Op op_select{
    .name = "select",
    .attributes = Attributes{},
    .arity = 3,
    .infer = elementwise_type,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"\\begin{cases} #2 & #1 \\ne 0 \\\\ #3 & \\text{else} \\end{cases}"},
    .onnx = "Where",
    .exact = true,
    .cheap = true,
    .links = {{LinkKind::choose, LinkKind::keep, LinkKind::replace}},
    .samples = std::vector<Sample>{{{}, {{{3, 4}, true, -1, 1, 1, false}, {{3, 4}}, {{3, 4}}}},
                                   {{}, {{{2, 3, 4}, true, -1, 1, 1, false}, {{3, 1}, false}, {{}}}},
                                   {{}, {{{3, 1}, false, -1, 1, 1, false}, {{2, 1, 4}}, {{1, 4}, false}}},
                                   {{}, {{{5}, false, -1, 1, 1, false}, {{5}, false}, {{}, false}}}}};

Value select(Value condition, Value yes, Value no) {
  return condition.graph().apply(op_select, {}, {{condition, yes, no}});
}

}  // namespace chalk
#endif
