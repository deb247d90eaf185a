// dx = zeros, with dy / n added at all n places of each window: average_pool's transpose.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/average_pool_grad.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& pool = a.template attributes<PoolAttributes>();
  const auto dy = a.in(0);
  const auto count = elements(a.shape());
  const T n(static_cast<float>(pool.window[0] * pool.window[1]));
  for (std::int64_t i = 0; i < count; ++i) a.out(i, T(0));
  pool_windows(pool, a.shape(), a.shape(0), [&](std::int64_t i, const PoolWindow& window) HWY_ATTR {
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
    .samples = std::vector<Sample>{
        {pool_attributes({}, {2, 4, 6}), {{{2, 2, 3}}}},
        {pool_attributes({.window = {3, 2}, .stride = {1, 1}}, {2, 5, 4}), {{{2, 3, 3}}}},
        {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}, {2, 5, 4}), {{{2, 3, 6}}}},
        {pool_attributes({.window = {2, 2}, .stride = {3, 2}}, {1, 7, 5}), {{{1, 2, 2}, false}}}}};

Value average_pool_grad(Value dy, const Shape& x, const PoolOptions& options) {
  return dy.graph().apply(op_average_pool_grad, pool_attributes(options, x), {{dy}});
}

}  // namespace chalk
#endif
