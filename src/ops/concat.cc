// y = the inputs, one after the other along an axis.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/concat.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto axis = static_cast<std::size_t>(a.template attributes<AxisAttributes>().axis);
  const auto strides = strides_of(a.shape());
  std::int64_t start = 0;
  for (std::size_t k = 0; k < a.call.in.size(); ++k) {
    const auto x = a.in(k);
    walk_runs(a.shape(k), strides, start, [&](std::int64_t i, std::int64_t at, std::int64_t, std::int64_t n) HWY_ATTR {
      a.move(at, x, i, 1, n);  // the last axis lies together in both
    });
    start += a.shape(k)[axis] * strides[axis];
  }
}
CHALK_KERNEL()

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH()

Type infer(const Attributes& attributes, std::span<const Type> in) {
  const auto axis = attributes.as<AxisAttributes>().axis;
  Shape shape = in[0].shape;
  check_rank(shape);
  check_axes({{axis}}, shape);
  const auto at = static_cast<std::size_t>(axis);
  for (const auto& input : in.subspan(1)) {
    Shape same = input.shape;
    if (same.size() == shape.size()) same[at] = shape[at];
    if (same != shape) {
      throw ShapeError(str(to_string(in[0].shape), " and ", to_string(input.shape), " cannot be joined along axis ",
                           axis, "; make their other extents equal"));
    }
    shape[at] += input.shape[at];
  }
  return {std::move(shape), any_batched(in)};
}

// dxₖ = the part of dy that xₖ went to
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto axis = static_cast<std::size_t>(node.attributes.as<AxisAttributes>().axis);
  std::vector<Value> parts;
  Shape start(dy.shape().size(), 0), stop = dy.shape();
  for (const auto& x : in) {
    stop[axis] = start[axis] + x.shape()[axis];
    parts.push_back(slice(dy, start, stop));
    start[axis] = stop[axis];
  }
  return parts;
}

}  // namespace

const Op op_concat{.name = "concat",
                   .attributes = AxisAttributes{},
                   .arity = -1,
                   .infer = infer,
                   .kernels = kKernels,
                   .derivative = derivative,
                   .formula = Formula{"(#1, #2, \\dots)"},
                   .onnx = "Concat",
                   .exact = true,
                   .samples = std::vector<Sample>{{AxisAttributes{0}, {{{2, 3}}, {{1, 3}, false}, {{2, 3}}}},
                                                  {AxisAttributes{1}, {{{2, 3, 2}}, {{2, 1, 2}}}},
                                                  {AxisAttributes{0}, {{{3}, false}, {{3}, false}}},
                                                  {AxisAttributes{0}, {{{4}}}}}};

Value concat(std::span<const Value> xs, std::int64_t axis) {
  if (xs.empty()) throw ShapeError("concat: nothing to join; give it at least one value");
  return xs[0].graph().apply(op_concat, AxisAttributes{axis}, xs);
}

}  // namespace chalk
#endif
