// y = x stretched to a shape, as NumPy's broadcast_to does.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/broadcast.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  PerAxis strides{};
  broadcast_strides(a.shape(0), a.shape(), strides.data());
  walk_runs(a.shape(), strides, 0, [&](std::int64_t i, std::int64_t at, std::int64_t step, std::int64_t n) HWY_ATTR {
    a.move(i, x, at, step, n);
  });
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
  const Shape &shape = attributes.as<ShapeAttributes>().shape, &x = in[0].shape;
  check_rank(shape);
  if (broadcast_shape(x, shape) != shape) {
    throw ShapeError(str(to_string(x), " does not stretch to ", to_string(shape),
                         "; aligned at the last axis, each extent must be 1 or the same"));
  }
  return {shape, in[0].batched};
}

// dx = dy summed over the axes that were stretched
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  return {sum_to_shape(dy, in[0].shape())};
}

}  // namespace

const Op op_broadcast{.name = "broadcast",
                      .attributes = ShapeAttributes{},
                      .arity = 1,
                      .infer = infer,
                      .kernels = kKernels,
                      .derivative = derivative,
                      .formula = Formula{"#1"},
                      .onnx = "Expand",
                      .exact = true,
                      .samples = std::vector<Sample>{{ShapeAttributes{{2, 3, 4}}, {{{3, 1}}}},
                                                     {ShapeAttributes{{3, 2}}, {{{}}}},
                                                     {ShapeAttributes{{2, 3}}, {{{2, 1}, false}}},
                                                     {ShapeAttributes{{1, 1, 3}}, {{{3}}}},
                                                     {ShapeAttributes{}, {{{}, false}}}}};

Value broadcast(Value x, const Shape& shape) { return x.graph().apply(op_broadcast, ShapeAttributes{shape}, {{x}}); }

}  // namespace chalk
#endif
