// y = Σ x / n over axes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/mean.cc"
#include <hwy/foreach_target.h>

#include "src/ops/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const Reduction r(a.template attributes<ReduceAttributes>().axes, a.shape(0));
  const T n(static_cast<float>(r.size()));
  for (std::int64_t i = 0; i < r.groups(); ++i) a.out(i, total(x, r, i) / n);
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

// dx = dy / n at every place that was averaged
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value y, Value dy) {
  const auto n = static_cast<double>(elements(in[0].shape())) / static_cast<double>(elements(y.shape()));
  return {expand_reduced(dy * y.graph().constant(1 / n), node.attributes.as<ReduceAttributes>().axes, in[0].shape())};
}

}  // namespace

const Op op_mean{.name = "mean",
                 .attributes = ReduceAttributes{},
                 .arity = 1,
                 .infer = reduced_type,
                 .kernels = kKernels,
                 .derivative = derivative,
                 .formula = Formula{"\\operatorname{mean} #1"},
                 .onnx = "ReduceMean",
                 .exact = false,
                 .samples = reduce_samples()};

Value mean(Value x, std::vector<std::int64_t> axes, bool keep) {
  return x.graph().apply(op_mean, ReduceAttributes{std::move(axes), keep}, {{x}});
}

}  // namespace chalk
#endif
