// y = the maximum of each window; padding is never chosen. NaN if any of the window is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/max_pool.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  pool(a, [](const auto& x, const PoolWindow& window) HWY_ATTR { return first_maximum(x, window).value; });
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

// dx = dy, put at the first maximum of each window; a place that is the maximum of several windows gets their sum
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto options = pool_options(node.attributes.as<PoolAttributes>());
  const Value place = pool_argmax(in[0], options);
  return {pool_scatter(dy, place, in[0].shape(), options)};
}

}  // namespace

const Op op_max_pool{.name = "max_pool",
                     .attributes = PoolAttributes{},
                     .arity = 1,
                     .infer = infer,
                     .kernels = kKernels,
                     .derivative = derivative,
                     .formula = Formula{"\\operatorname{maxpool}(#1)"},
                     .onnx = "MaxPool",
                     .exact = true,
                     .kink = {"max_pool: all to the first of equal ones, row by row", "1 3 3 3", "0 1 0 0", "1 2 2"},
                     .by_channel = true,
                     .by_column = pools_down_columns,
                     .samples = std::vector<Sample>{
                         {pool_attributes({}), {{{2, 4, 6}}}},
                         {pool_attributes({.window = {3, 2}, .stride = {1, 1}}), {{{2, 5, 4}}}},
                         {pool_attributes({.window = {2, 1}, .stride = {2, 1}, .padding = {1, 0}}), {{{2, 5, 35}}}},
                         {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}), {{{2, 5, 4}}}},
                         {pool_attributes({.window = {2, 2}, .stride = {3, 2}}), {{{1, 7, 5}, false}}},
                         {pool_attributes({.window = {3, 3}, .stride = {1, 2}, .padding = {1, 0}}),
                          {{{2, 5, 5}, true, -1, 1, 1, false}}}}};

Value max_pool(Value x, const PoolOptions& options) {
  return x.graph().apply(op_max_pool, pool_attributes(options), {{x}});
}

}  // namespace chalk
#endif
