// x = zeros, with each y added at the place of its window that index names; lost where that is padding.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/pool_scatter.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto y = a.in(0), index = a.in(1);
  const Shape& x = a.shape();
  const Interval channels = a.call.share.of(x[0]);
  for (std::int64_t i = channels.begin * x[1] * x[2]; i < channels.end * x[1] * x[2]; ++i) a.out(i, T(0));
  pool_windows(a.template attributes<PoolAttributes>(), x, a.shape(0), channels,
               [&](std::int64_t i, const PoolWindow& window) HWY_ATTR {
                 const T chosen = index[i], value = y[i];
                 each_place(window, [&](std::int64_t place, std::int64_t at) HWY_ATTR {
                   const auto here = chosen == T(static_cast<float>(place));
                   a.out(at, a.made(at) + select(here, value, T(0)));
                 });
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
  const auto& a = attributes.as<PoolAttributes>();
  const Shape y = pool_shape(a, a.shape);
  check_pool_result(in[0].shape, a.shape, y);
  check_pool_index(in[1].shape, y);
  return {a.shape, any_batched(in)};
}

// dy = dx at the same places; index has none
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dx) {
  return {pool_gather(dx, in[1], pool_options(node.attributes.as<PoolAttributes>())), {}};
}

}  // namespace

const Op op_pool_scatter{
    .name = "pool_scatter",
    .attributes = PoolAttributes{},
    .arity = 2,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"\\operatorname{scatter}_{#2}(#1)"},
    .onnx = "",
    .exact = false,
    .cheap = true,
    .by_channel = true,
    .samples = std::vector<Sample>{{pool_attributes({}, {2, 4, 6}), {{{2, 2, 3}}, {{2, 2, 3}, true, 0, 3, 1, false}}},
                                   {pool_attributes({.window = {3, 2}, .stride = {1, 1}}, {2, 4, 4}),
                                    {{{2, 2, 3}, false}, {{2, 2, 3}, true, 0, 5, 1, false}}},
                                   {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}, {1, 5, 3}),
                                    {{{1, 3, 5}}, {{1, 3, 5}, true, 0, 8, 1, false}}},
                                   {pool_attributes({.window = {2, 2}, .stride = {3, 2}}, {1, 6, 5}),
                                    {{{1, 2, 2}, false}, {{1, 2, 2}, false, 0, 3, 1, false}}}}};

Value pool_scatter(Value y, Value index, const Shape& x, const PoolOptions& options) {
  return y.graph().apply(op_pool_scatter, pool_attributes(options, x), {{y, index}});
}

}  // namespace chalk
#endif
