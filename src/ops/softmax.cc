// y = e^x / Σ e^x along an axis. Computed from x − max x, so that nothing overflows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/softmax.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const Reduction r({&a.template attributes<AxisAttributes>().axis, 1}, a.shape(0));
  for (std::int64_t i = 0; i < r.groups(); ++i) {
    const T most = largest<T>(x, r, i);
    T total(0);
    each_place(r, i, [&](std::int64_t at) HWY_ATTR {
      const T e = exp(x[at] - most);
      a.out(at, e);
      total = total + e;
    });
    each_place(r, i, [&](std::int64_t at) HWY_ATTR { a.out(at, a.made(at) / total); });
  }
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
  check_rank(in[0].shape);
  check_axes({{attributes.as<AxisAttributes>().axis}}, in[0].shape);
  return in[0];
}

// dx = y · (dy − Σ dy·y)
std::vector<Value> derivative(const Node& node, std::span<const Value>, Value y, Value dy) {
  return {y * (dy - sum(dy * y, {node.attributes.as<AxisAttributes>().axis}, true))};
}

}  // namespace

const Op op_softmax{.name = "softmax",
                    .attributes = AxisAttributes{},
                    .arity = 1,
                    .infer = infer,
                    .kernels = kKernels,
                    .derivative = derivative,
                    .formula = Formula{"\\operatorname{softmax}(#1)"},
                    .onnx = "Softmax",
                    .exact = false,
                    .samples = std::vector<Sample>{{AxisAttributes{0}, {{{5}, true, -3, 3}}},
                                                   {AxisAttributes{1}, {{{2, 4, 3}, true, -3, 3}}},
                                                   {AxisAttributes{0}, {{{3, 2}, false, -3, 3}}},
                                                   {AxisAttributes{1}, {{{3, 1}, true, -1, 1, 0, false}}},
                                                   {AxisAttributes{0}, {{{4}, true, -60, 60, 0, false}}}}};

Value softmax(Value x, std::int64_t axis) { return x.graph().apply(op_softmax, AxisAttributes{axis}, {{x}}); }

}  // namespace chalk
#endif
