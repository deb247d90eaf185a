// y = the mean of each window, in which padding counts as zeros.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/average_pool.cc"
#include <hwy/foreach_target.h>

#include "src/ops/pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& window = a.template attributes<PoolAttributes>().window;
  const auto n = static_cast<float>(window[0] * window[1]);
  pool(a, [&](const auto& x, const PoolWindow& w) HWY_ATTR {
    using U = decltype(x[0]);
    U total(0);
    each_place(w, [&](std::int64_t, std::int64_t at) HWY_ATTR { total = total + x[at]; });
    return total / U(n);
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
  return {pool_shape(attributes.as<PoolAttributes>(), in[0].shape), in[0].batched};
}

// dx = dy / n, spread over each window
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  return {average_pool_grad(dy, in[0].shape(), pool_options(node.attributes.as<PoolAttributes>()))};
}

}  // namespace

const Op op_average_pool{.name = "average_pool",
                         .attributes = PoolAttributes{},
                         .arity = 1,
                         .infer = infer,
                         .kernels = kKernels,
                         .derivative = derivative,
                         .formula = Formula{"\\operatorname{meanpool}(#1)"},
                         .onnx = "AveragePool",
                         .exact = false,
                         .by_channel = true,
                         .by_column = pools_down_columns,
                         .samples = std::vector<Sample>{
                             {pool_attributes({}), {{{2, 4, 6}}}},
                             {pool_attributes({.window = {3, 2}, .stride = {1, 1}}), {{{2, 5, 4}}}},
                             {pool_attributes({.window = {3, 1}, .stride = {1, 1}}), {{{1, 7, 37}}}},
                             {pool_attributes({.window = {3, 3}, .stride = {2, 1}, .padding = {1, 2}}), {{{2, 5, 4}}}},
                             {pool_attributes({.window = {2, 2}, .stride = {3, 2}}), {{{1, 7, 5}, false}}}}};

Value average_pool(Value x, const PoolOptions& options) {
  return x.graph().apply(op_average_pool, pool_attributes(options), {{x}});
}

}  // namespace chalk
#endif
