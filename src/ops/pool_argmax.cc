// y = the place of the first maximum of each window, row-major in the window (padding counts as places); the first
// NaN is a maximum. Constant almost everywhere: no derivative.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/pool_argmax.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  pool(a, [](const auto& x, const PoolWindow& window) HWY_ATTR { return first_maximum(x, window).place; });
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

Type infer(const Attributes& attributes, std::span<const Type> in) {
  return {pool_shape(attributes.as<PoolAttributes>(), in[0].shape), in[0].batched};
}

}  // namespace

const Op op_pool_argmax{.name = "pool_argmax",
                        .attributes = PoolAttributes{},
                        .arity = 1,
                        .infer = infer,
                        .kernels = kKernels,
                        .derivative = nullptr,
                        .formula = Formula{"\\operatorname{argmaxpool}(#1)"},
                        .onnx = "",
                        .exact = true,
                        .by_channel = true,
                        .samples = std::vector<Sample>{
                            {pool_attributes({}), {{{2, 4, 6}}}},
                            {pool_attributes({.window = {3, 2}, .stride = {1, 1}}), {{{2, 5, 4}}}},
                            {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}), {{{2, 5, 4}}}},
                            {pool_attributes({.window = {2, 2}, .stride = {3, 2}}), {{{1, 7, 5}, false}}},
                            {pool_attributes({.window = {3, 3}, .stride = {1, 2}, .padding = {1, 0}}),
                             {{{2, 5, 5}, true, -1, 1, 1, false}}}}};

Value pool_argmax(Value x, const PoolOptions& options) {
  return x.graph().apply(op_pool_argmax, pool_attributes(options), {{x}});
}

}  // namespace chalk
#endif
