// y = Σ x over axes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/sum.cc"
#include <hwy/foreach_target.h>

#include "src/ops/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const Reduction r(a.template attributes<ReduceAttributes>().axes, a.shape(0));
  for (std::int64_t i = 0; i < r.groups(); ++i) a.out(i, total(x, r, i));
}
CHALK_KERNEL()

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/ops.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH()

// dx = dy at every place that was summed
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  return {expand_reduced(dy, node.attributes.as<ReduceAttributes>().axes, in[0].shape())};
}

}  // namespace

const Op op_sum{.name = "sum",
                .attributes = ReduceAttributes{},
                .arity = 1,
                .infer = reduced_type,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"\\sum #1"},
                .onnx = "ReduceSum",
                .exact = false,
                .samples = reduce_samples()};

Value sum(Value x, std::vector<std::int64_t> axes, bool keep) {
  return x.graph().apply(op_sum, ReduceAttributes{std::move(axes), keep}, {{x}});
}

}  // namespace chalk
#endif
