// y = a · b elementwise, broadcast.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/mul.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
T formula(T a, T b) {
  return a * b;
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

// da = dy · b, db = dy · a, each summed over the axes it was broadcast along
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  return {sum_to_shape(dy * in[1], in[0].shape()), sum_to_shape(dy * in[0], in[1].shape())};
}

}  // namespace

const Op op_mul{.name = "mul",
                .attributes = Attributes{},
                .arity = 2,
                .infer = elementwise_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"#1 \\odot #2"},
                .onnx = "Mul",
                .exact = true,
                .cheap = true,
                .links = {{LinkKind::mul, LinkKind::mul}, LinkKind::square},
                .samples = std::vector<Sample>{{{}, {{{3, 4}}, {{3, 4}}}},
                                               {{}, {{{2, 3, 4}}, {{3, 1}, false}}},
                                               {{}, {{{1, 4}, false}, {{2, 3, 1}}}},
                                               {{}, {{{}, false}, {{2, 3}}}},
                                               {{}, {{{}}, {{}}}},
                                               {{}, {{{5}, false}, {{5}, false}}}}};

Value mul(Value a, Value b) { return a.graph().apply(op_mul, {}, {{a, b}}); }

}  // namespace chalk
#endif
