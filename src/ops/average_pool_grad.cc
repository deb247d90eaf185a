// dx = zeros, with dy / n added at all n places of each window: average_pool's transpose.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/average_pool_grad.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

/// Where windows neither overlap nor reach into padding, each place is written once, in order.
template <class T>
void spread_apart(const Args<T>& a, const PoolAttributes& pool, T n) {
  const auto dy = a.in(0);
  const Shape &x = a.shape(), &y = a.shape(0);
  const Interval channels = a.call.share.of(x[0]);
  std::int64_t at = channels.begin * x[1] * x[2];
  const auto put = [&](T value, std::int64_t count) HWY_ATTR {
    for (const auto end = at + count; at < end; ++at) {
      a.fetch_out(at);
      a.out(at, value);
    }
  };
  for (std::int64_t row = channels.begin * x[1]; row < channels.end * x[1]; ++row) {
    const std::int64_t c = row / x[1], i = row % x[1], p = i / pool.stride[0], end = (row + 1) * x[2];
    const bool in_window = p < y[1] && i % pool.stride[0] < pool.window[0];
    for (std::int64_t q = 0; in_window && q < y[2]; ++q) {
      put(T(0) + dy[(c * y[1] + p) * y[2] + q] / n, pool.window[1]);
      put(T(0), std::min(pool.stride[1] - pool.window[1], end - at));
    }
    put(T(0), end - at);
  }
}

template <class T>
void kernel(const Args<T>& a) {
  const auto& pool = a.template attributes<PoolAttributes>();
  const T n(static_cast<float>(pool.window[0] * pool.window[1]));
  const auto fits = [&](std::size_t d) { return pool.window[d] <= pool.stride[d] && pool.padding[d] == 0; };
  if (fits(0) && fits(1)) return spread_apart(a, pool, n);
  const auto dy = a.in(0);
  const Shape& x = a.shape();
  const Interval channels = a.call.share.of(x[0]);
  for (std::int64_t i = channels.begin * x[1] * x[2]; i < channels.end * x[1] * x[2]; ++i) a.out(i, T(0));
  pool_windows(pool, x, a.shape(0), channels, [&](std::int64_t i, const PoolWindow& window) HWY_ATTR {
    const T share = dy[i] / n;
    each_place(window, [&](std::int64_t, std::int64_t at) HWY_ATTR { a.out(at, a.made(at) + share); });
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
  check_pool_result(in[0].shape, a.shape, pool_shape(a, a.shape));
  return {a.shape, in[0].batched};
}

// d(dy) = the mean of ddx over each window
std::vector<Value> derivative(const Node& node, std::span<const Value>, Value, Value ddx) {
  return {average_pool(ddx, pool_options(node.attributes.as<PoolAttributes>()))};
}

}  // namespace

const Op op_average_pool_grad{
    .name = "average_pool_grad",
    .attributes = PoolAttributes{},
    .arity = 1,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"\\operatorname{meanpool}^{\\top}(#1)"},
    .onnx = "",
    .exact = false,
    .by_channel = true,
    .samples = std::vector<Sample>{
        {pool_attributes({}, {2, 4, 6}), {{{2, 2, 3}}}},
        {pool_attributes({.window = {3, 2}, .stride = {1, 1}}, {2, 5, 4}), {{{2, 3, 3}}}},
        {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}, {2, 5, 4}), {{{2, 3, 6}}}},
        {pool_attributes({.window = {1, 1}, .stride = {2, 2}}, {2, 4, 6}), {{{2, 2, 3}}}},
        {pool_attributes({.window = {2, 2}, .stride = {3, 2}}, {1, 7, 5}), {{{1, 2, 2}, false}}}}};

Value average_pool_grad(Value dy, const Shape& x, const PoolOptions& options) {
  return dy.graph().apply(op_average_pool_grad, pool_attributes(options, x), {{dy}});
}

}  // namespace chalk
#endif
