// y = max x over axes; NaN if any x is. Of several equal ones, max gives its derivative to the first, amax shares it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/max.cc"
#include <hwy/foreach_target.h>

#include "src/ops/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const Reduction r(a.template attributes<ReduceAttributes>().axes, a.shape(0));
  for (std::int64_t i = 0; i < r.groups(); ++i) a.out(i, largest<T>(x, r, i));
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

// dx = dy at the first maximum
std::vector<Value> to_the_first(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto& axes = node.attributes.as<ReduceAttributes>().axes;
  return {expand_reduced(dy, axes, in[0].shape()) * first_max(in[0], axes)};
}

// dx = dy / Σ [x = y] where x = y; nothing where y is NaN
std::vector<Value> to_all(const Node& node, std::span<const Value> in, Value y, Value dy) {
  const auto& axes = node.attributes.as<ReduceAttributes>().axes;
  const Value is_largest = equal(in[0], expand_reduced(y, axes, in[0].shape()));
  const Value share = expand_reduced(dy / reshape(sum(is_largest, axes), dy.shape()), axes, in[0].shape());
  return {select(is_largest, share, y.graph().constant(0))};
}

}  // namespace

const Op op_max{.name = "max",
                .attributes = ReduceAttributes{},
                .arity = 1,
                .infer = reduced_type,
                .kernels = kKernels,
                .derivative = to_the_first,
                .formula = Formula{"\\max #1"},
                .onnx = "ReduceMax",
                .exact = true,
                .kink = {"max: all to the first of equal ones", "1 3 3 2", "0 1 0 0", "4"},
                .samples = reduce_samples()};

const Op op_amax{.name = "amax",
                 .attributes = ReduceAttributes{},
                 .arity = 1,
                 .infer = reduced_type,
                 .kernels = kKernels,
                 .derivative = to_all,
                 .formula = Formula{"\\max #1"},
                 .onnx = "ReduceMax",
                 .exact = true,
                 .kink = {"amax: shared by equal ones", "1 3 3 2", "0 0.5 0.5 0", "4"},
                 .samples = reduce_samples()};

Value max(Value x, std::vector<std::int64_t> axes, bool keep) {
  return x.graph().apply(op_max, ReduceAttributes{std::move(axes), keep}, {{x}});
}

Value amax(Value x, std::vector<std::int64_t> axes, bool keep) {
  return x.graph().apply(op_amax, ReduceAttributes{std::move(axes), keep}, {{x}});
}

}  // namespace chalk
#endif
