// y = x at the place of each window that index names; 0 where that is padding.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/pool_gather.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0), index = a.in(1);
  pool_windows(a.template attributes<PoolAttributes>(), a.shape(0), a.shape(), a.call.share.of(a.shape()[0]),
               [&](std::int64_t i, const PoolWindow& window) HWY_ATTR {
                 const T chosen = index[i];
                 T y(0);
                 each_place(window, [&](std::int64_t place, std::int64_t at)
                                        HWY_ATTR { y = select(chosen == T(static_cast<float>(place)), x[at], y); });
                 a.out(i, y);
               });
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
  const Shape y = pool_shape(attributes.as<PoolAttributes>(), in[0].shape);
  check_pool_index(in[1].shape, y);
  return {y, any_batched(in)};
}

// dx = dy, put at the same places; index has none: it is no quantity but a choice
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  return {pool_scatter(dy, in[1], in[0].shape(), pool_options(node.attributes.as<PoolAttributes>())), {}};
}

}  // namespace

const Op op_pool_gather{
    .name = "pool_gather",
    .attributes = PoolAttributes{},
    .arity = 2,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"#1_{#2}"},
    .onnx = "",
    .exact = true,
    .by_channel = true,
    .samples = std::vector<Sample>{{pool_attributes({}), {{{2, 4, 6}}, {{2, 2, 3}, true, 0, 3, 1, false}}},
                                   {pool_attributes({.window = {3, 2}, .stride = {1, 1}}),
                                    {{{2, 4, 4}, false}, {{2, 2, 3}, true, 0, 5, 1, false}}},
                                   {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}),
                                    {{{1, 5, 3}}, {{1, 3, 5}, true, 0, 8, 1, false}}},
                                   {pool_attributes({.window = {2, 2}, .stride = {3, 2}}),
                                    {{{1, 6, 5}, false}, {{1, 2, 2}, false, 0, 3, 1, false}}}}};

Value pool_gather(Value x, Value index, const PoolOptions& options) {
  return x.graph().apply(op_pool_gather, pool_attributes(options), {{x, index}});
}

}  // namespace chalk
#endif
