// dw[o,c,a,b] = Σ_{p,q} dy[o,p,q] · x[c, p·stride + a·dilation − padding, …]: conv2d's transpose with respect to w.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/conv2d_weight_grad.cc"
#include <hwy/foreach_target.h>

#include "src/ops/conv2d-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

[[maybe_unused]] void kernel(const Args<double>& a) {
  const auto x = a.in(0), dy = a.in(1);
  std::fill_n(static_cast<double*>(a.call.out), elements(a.shape()), 0.0);
  conv2d_rows(a.attributes<Conv2dAttributes>(), a.shape(0), a.shape(), a.shape(1),
              [&](auto at_y, auto at_w, auto at_x, auto count, auto step) {
                double total = a.made(at_w);
                for (std::int64_t k = 0; k < count; ++k) total += dy[at_y + k] * x[at_x + k * step];
                a.out(at_w, total);
              });
}

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0), dy = a.in(1);
  const auto count = elements(a.shape());
  for (std::int64_t i = 0; i < count; ++i) a.out(i, T(0));
  conv2d_products(a.template attributes<Conv2dAttributes>(), a.shape(0), a.shape(), a.shape(1),
                  [&](std::int64_t at_y, std::int64_t at_w, std::int64_t at_x)
                      HWY_ATTR { a.out(at_w, fma(dy[at_y], x[at_x], a.made(at_w))); });
}
CHALK_KERNEL()

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH()

Type infer(const Attributes& attributes, std::span<const Type> in) {
  const auto& a = attributes.as<Conv2dAttributes>();
  if (conv2d_shape(a, in[0].shape, a.shape) != in[1].shape) {
    throw ShapeError(str("a gradient of ", to_string(in[1].shape), " is not that of weights of ", to_string(a.shape)));
  }
  return {a.shape, any_batched(in)};
}

// Linear in both: dx = the transposed convolution of dy with ddw, d(dy) = conv2d(x, ddw)
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value ddw) {
  const auto options = conv2d_options(node.attributes.as<Conv2dAttributes>());
  return {conv2d_input_grad(in[1], ddw, in[0].shape(), options), conv2d(in[0], ddw, options)};
}

}  // namespace

const Op op_conv2d_weight_grad{
    .name = "conv2d_weight_grad",
    .attributes = Conv2dAttributes{},
    .arity = 2,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"#2 \\star #1"},
    .onnx = "",
    .exact = false,
    .samples = std::vector<Sample>{
        {conv2d_attributes({}, {3, 2, 3, 2}), {{{2, 5, 6}}, {{3, 3, 5}}}},
        {conv2d_attributes({.stride = {2, 1}, .padding = {1, 2}}, {3, 2, 3, 3}), {{{2, 5, 4}}, {{3, 3, 6}}}},
        {conv2d_attributes({.stride = {3, 2}}, {2, 1, 2, 3}), {{{1, 8, 7}}, {{2, 3, 3}}}},
        {conv2d_attributes({.padding = {2, 1}, .dilation = {2, 1}, .groups = 2}, {4, 2, 3, 2}),
         {{{4, 5, 4}}, {{4, 5, 5}}}}}};

Value conv2d_weight_grad(Value x, Value dy, const Shape& w, const Conv2dOptions& options) {
  return x.graph().apply(op_conv2d_weight_grad, conv2d_attributes(options, w), {{x, dy}});
}

}  // namespace chalk
#endif
