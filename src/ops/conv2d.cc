// y[o,p,q] = Σ_{c,a,b} w[o,c,a,b] · x[c, p·stride + a·dilation − padding, q·stride + b·dilation − padding]
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/conv2d.cc"
#include <hwy/foreach_target.h>

#include "src/ops/conv2d-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

[[maybe_unused]] void kernel(const Args<double>& a) {
  const auto x = a.in(0), w = a.in(1);
  std::fill_n(static_cast<double*>(a.call.out), elements(a.shape()), 0.0);
  conv2d_rows(a.attributes<Conv2dAttributes>(), a.shape(0), a.shape(1), a.shape(),
              [&](auto at_y, auto at_w, auto at_x, auto count, auto step) {
                for (std::int64_t k = 0; k < count; ++k)
                  a.out(at_y + k, a.made(at_y + k) + w[at_w] * x[at_x + k * step]);
              });
}

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0), w = a.in(1);
  T total(0);
  std::int64_t current = 0;
  const auto count = elements(a.shape());
  conv2d_products(a.template attributes<Conv2dAttributes>(), a.shape(0), a.shape(1), a.shape(),
                  [&](std::int64_t at_y, std::int64_t at_w, std::int64_t at_x) HWY_ATTR {
                    for (; current < at_y; ++current, total = T(0)) a.out(current, total);
                    total = fma(w[at_w], x[at_x], total);
                  });
  for (; current < count; ++current, total = T(0)) a.out(current, total);
}
CHALK_KERNEL()

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ir/checks.h"
#include "src/ops/registry.h"

namespace chalk {

Conv2dAttributes conv2d_attributes(const Conv2dOptions& o, Shape shape) {
  return {{o.stride[0], o.stride[1]},
          {o.padding[0], o.padding[1]},
          {o.dilation[0], o.dilation[1]},
          o.groups,
          std::move(shape)};
}

Conv2dOptions conv2d_options(const Conv2dAttributes& a) {
  return {{a.stride[0], a.stride[1]}, {a.padding[0], a.padding[1]}, {a.dilation[0], a.dilation[1]}, a.groups};
}

Shape conv2d_shape(const Conv2dAttributes& a, const Shape& x, const Shape& w) {
  constexpr std::int64_t kMost = 1 << 20;
  const auto pair = [](const std::vector<std::int64_t>& v, std::string_view name, std::int64_t least) {
    if (v.size() != 2 || v[0] < least || v[1] < least || v[0] > kMost || v[1] > kMost) {
      throw ShapeError(str(name, " must be two numbers of at least ", least, ", {vertical, horizontal}"));
    }
  };
  pair(a.stride, "stride", 1);
  pair(a.padding, "padding", 0);
  pair(a.dilation, "dilation", 1);
  if (x.size() != 3) throw ShapeError(not_a_map(x));
  if (w.size() != 4) {
    throw ShapeError(str("weights must be filters × channels × rows × columns, not ", to_string(w)));
  }
  if (a.groups < 1 || x[0] % a.groups != 0 || w[0] % a.groups != 0) {
    throw ShapeError(not_divided(a.groups, x[0], w[0]));
  }
  if (w[1] * a.groups != x[0]) {
    throw ShapeError(str("weights for ", w[1] * a.groups, " channels do not fit an input of ", to_string(x),
                         "; give the kernel ", x[0] / a.groups, " channels"));
  }
  Shape y{w[0], 0, 0};
  for (std::size_t d = 0; d < 2; ++d) {
    const auto reach = (w[d + 2] - 1) * a.dilation[d] + 1;
    const auto room = x[d + 1] + 2 * a.padding[d];
    if (reach > room) {
      const auto padding = (reach - x[d + 1] + 1) / 2;
      throw ShapeError(str("kernel ", w[2], "×", w[3], a.dilation[d] > 1 ? " (dilated)" : "",
                           " does not fit an input of ", x[1], "×", x[2],
                           "; use a smaller kernel or padding=", padding));
    }
    y[d + 1] = (room - reach) / a.stride[d] + 1;
  }
  return y;
}

namespace {

CHALK_DISPATCH()

Type infer(const Attributes& a, std::span<const Type> in) {
  return {conv2d_shape(a.as<Conv2dAttributes>(), in[0].shape, in[1].shape), any_batched(in)};
}

// dx: the transposed convolution of dy with w; dw: the correlation of x with dy
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto options = conv2d_options(node.attributes.as<Conv2dAttributes>());
  return {conv2d_input_grad(dy, in[1], in[0].shape(), options), conv2d_weight_grad(in[0], dy, in[1].shape(), options)};
}

}  // namespace

const Op op_conv2d{
    .name = "conv2d",
    .attributes = Conv2dAttributes{},
    .arity = 2,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"#2 \\star #1"},
    .onnx = "Conv",
    .exact = false,
    .samples = std::vector<Sample>{
        {conv2d_attributes({}), {{{2, 5, 6}}, {{3, 2, 3, 2}, false}}},
        {conv2d_attributes({.stride = {2, 1}, .padding = {1, 2}}), {{{2, 5, 4}}, {{3, 2, 3, 3}, false}}},
        {conv2d_attributes({.stride = {3, 2}}), {{{1, 8, 7}}, {{2, 1, 2, 3}, false}}},
        {conv2d_attributes({.padding = {2, 1}, .dilation = {2, 1}, .groups = 2}), {{{4, 5, 4}}, {{4, 2, 3, 2}, false}}},
        {conv2d_attributes({.groups = 3}), {{{3, 4, 4}, false}, {{3, 1, 2, 2}}}}}};

Value conv2d(Value x, Value w, const Conv2dOptions& options) {
  return x.graph().apply(op_conv2d, conv2d_attributes(options), {{x, w}});
}

}  // namespace chalk
#endif
