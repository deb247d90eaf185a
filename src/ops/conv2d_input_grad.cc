// dx[c,·,·] = Σ w[o,c,a,b] · dy[o,p,q] over all (o,p,q,a,b) that read x there: conv2d's transpose with respect to x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/conv2d_input_grad.cc"
#include <hwy/foreach_target.h>

#include "src/ops/conv2d-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

[[maybe_unused]] void kernel(const Args<double>& a) {
  const auto dy = a.in(0), w = a.in(1);
  std::fill_n(static_cast<double*>(a.call.out), elements(a.shape()), 0.0);
  conv2d_rows(a.attributes<Conv2dAttributes>(), a.shape(), a.shape(1), a.shape(0),
              [&](auto at_y, auto at_w, auto at_x, auto count, auto step) {
                for (std::int64_t k = 0, at = at_x; k < count; ++k, at += step)
                  a.out(at, a.made(at) + w[at_w] * dy[at_y + k]);
              });
}

template <class T>
void kernel(const Args<T>& a) {
  const auto dy = a.in(0), w = a.in(1);
  const auto count = elements(a.shape());
  for (std::int64_t i = 0; i < count; ++i) a.out(i, T(0));
  conv2d_products(a.template attributes<Conv2dAttributes>(), a.shape(), a.shape(1), a.shape(0),
                  [&](std::int64_t at_y, std::int64_t at_w, std::int64_t at_x)
                      HWY_ATTR { a.out(at_x, fma(w[at_w], dy[at_y], a.made(at_x))); });
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
  if (conv2d_shape(a, a.shape, in[1].shape) != in[0].shape) {
    throw ShapeError(str("a gradient of ", to_string(in[0].shape), " is not that of an input of ", to_string(a.shape)));
  }
  return {a.shape, any_batched(in)};
}

// Linear in both: d(dy) = conv2d(ddx, w), dw = the correlation of ddx with dy
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value ddx) {
  const auto options = conv2d_options(node.attributes.as<Conv2dAttributes>());
  return {conv2d(ddx, in[1], options), conv2d_weight_grad(ddx, in[0], in[1].shape(), options)};
}

}  // namespace

const Op op_conv2d_input_grad{
    .name = "conv2d_input_grad",
    .attributes = Conv2dAttributes{},
    .arity = 2,
    .infer = infer,
    .kernels = kKernels,
    .derivative = derivative,
    .formula = Formula{"#2^{\\top} \\star #1"},
    .onnx = "ConvTranspose",
    .exact = false,
    .samples = std::vector<Sample>{
        {conv2d_attributes({}, {2, 5, 6}), {{{3, 3, 5}}, {{3, 2, 3, 2}, false}}},
        {conv2d_attributes({.stride = {2, 1}, .padding = {1, 2}}, {2, 5, 4}), {{{3, 3, 6}}, {{3, 2, 3, 3}, false}}},
        {conv2d_attributes({.stride = {3, 2}}, {1, 8, 7}), {{{2, 3, 3}}, {{2, 1, 2, 3}}}},
        {conv2d_attributes({.padding = {2, 1}, .dilation = {2, 1}, .groups = 2}, {4, 5, 4}),
         {{{4, 5, 5}}, {{4, 2, 3, 2}, false}}}}};

Value conv2d_input_grad(Value dy, Value w, const Shape& x, const Conv2dOptions& options) {
  return dy.graph().apply(op_conv2d_input_grad, conv2d_attributes(options, x), {{dy, w}});
}

}  // namespace chalk
#endif
