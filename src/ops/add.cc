// y = a + b, broadcast.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/add.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T a, T b) {
  return a + b;
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

// da = dy, db = dy, each summed over the axes it was broadcast along
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  return {sum_to_shape(dy, in[0].shape()), sum_to_shape(dy, in[1].shape())};
}

}  // namespace

const Op op_add{.name = "add",
                .attributes = Attributes{},
                .arity = 2,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"#1 + #2"},
                .onnx = "Add",
                .exact = true,
                .cheap = true,
                .links = {{LinkKind::add, LinkKind::add}},
                .samples = std::vector<Sample>{
                    {{}, {{{3, 4}}, {{3, 4}}}}, {{}, {{{2, 3, 4}}, {{3, 1}, false}}}, {{}, {{{}, false}, {{2, 3}}}}}};

Value add(Value a, Value b) { return a.graph().apply(op_add, {}, {{a, b}}); }

}  // namespace chalk
#endif
