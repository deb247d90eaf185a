// y = x with the order of its elements reversed along some axes (all, if none are given): y[i] = x[n − 1 − i].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/reverse.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"
#include "src/ops/reduce.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& axes = a.template attributes<AxesAttributes>().axes;
  const auto x = a.in(0);
  const Shape& shape = a.shape();
  auto strides = strides_of(shape);
  std::int64_t last = 0;
  const auto turn = [&](std::size_t d) {
    last += strides[d] * (shape[d] - 1);
    strides[d] = -strides[d];
  };
  for (const auto axis : axes) turn(static_cast<std::size_t>(axis));
  for (std::size_t d = 0; axes.empty() && d < shape.size(); ++d) turn(d);
  walk(shape, strides, last, [&](std::int64_t i, std::int64_t at) HWY_ATTR { a.out(i, x[at]); });
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
  check_axes(attributes.as<AxesAttributes>().axes, in[0].shape);
  return in[0];
}

// dx = dy, reversed back
std::vector<Value> derivative(const Node& node, std::span<const Value>, Value, Value dy) {
  return {reverse(dy, node.attributes.as<AxesAttributes>().axes)};
}

}  // namespace

const Op op_reverse{.name = "reverse",
                    .attributes = AxesAttributes{},
                    .arity = 1,
                    .infer = infer,
                    .kernels = kKernels,
                    .derivative = derivative,
                    .formula = Formula{"\\operatorname{reverse}(#1)"},
                    .onnx = "",
                    .exact = true,
                    .samples = std::vector<Sample>{{AxesAttributes{{1, 2}}, {{{2, 3, 4}}}},
                                                   {AxesAttributes{{2, 3}}, {{{2, 1, 3, 2}, false}}},
                                                   {AxesAttributes{{0}}, {{{4, 1}}}},
                                                   {AxesAttributes{}, {{{2, 3}, false}}},
                                                   {AxesAttributes{}, {{{}}}}}};

Value reverse(Value x, std::vector<std::int64_t> axes) {
  return x.graph().apply(op_reverse, AxesAttributes{std::move(axes)}, {{x}});
}

}  // namespace chalk
#endif
