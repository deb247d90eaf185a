// y = x with other axes, in the same row-major order. The planner lets y share x's memory.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/reshape.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const auto count = elements(a.shape());
  for (std::int64_t i = 0; i < count; ++i) a.out(i, x[i]);
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
  const Shape& shape = attributes.as<ShapeAttributes>().shape;
  if (elements(shape) != elements(in[0].shape)) {
    throw ShapeError(str(to_string(in[0].shape), " has ", elements(in[0].shape), " elements and ", to_string(shape),
                         " has ", elements(shape), "; make them equal"));
  }
  return {shape, in[0].batched};
}

// dx = dy, reshaped back
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  return {reshape(dy, in[0].shape())};
}

}  // namespace

const Op op_reshape{.name = "reshape",
                    .attributes = ShapeAttributes{},
                    .arity = 1,
                    .infer = infer,
                    .kernels = kKernels,
                    .derivative = derivative,
                    .formula = Formula{"#1"},
                    .onnx = "Reshape",
                    .exact = true,
                    .samples = std::vector<Sample>{{ShapeAttributes{{6, 2}}, {{{3, 4}}}},
                                                   {ShapeAttributes{{2, 1, 3}}, {{{6}, false}}},
                                                   {ShapeAttributes{}, {{{1, 1}}}},
                                                   {ShapeAttributes{{1}}, {{{}}}}}};

Value reshape(Value x, const Shape& shape) { return x.graph().apply(op_reshape, ShapeAttributes{shape}, {{x}}); }

}  // namespace chalk
#endif
