// y = x with its axes permuted: axis i of y is axis permutation[i] of x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/transpose.cc"
#include <hwy/foreach_target.h>

#include <algorithm>
#include <numeric>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& permutation = a.template attributes<TransposeAttributes>().permutation;
  const auto x = a.in(0);
  const auto strides = strides_of(a.shape(0));
  PerAxis permuted{};
  for (std::size_t d = 0; d < permutation.size(); ++d) permuted[d] = strides[static_cast<std::size_t>(permutation[d])];
  walk_runs(a.shape(), permuted, 0, [&](std::int64_t i, std::int64_t at, std::int64_t step, std::int64_t n) HWY_ATTR {
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
  const auto& permutation = attributes.as<TransposeAttributes>().permutation;
  const Shape& x = in[0].shape;
  check_rank(x);
  std::vector<std::int64_t> axes(x.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (!std::is_permutation(permutation.begin(), permutation.end(), axes.begin(), axes.end())) {
    throw ShapeError(str(to_string(attributes), " of ", to_string(x), "; name each of its ", x.size(),
                         " axes once, counted from 0"));
  }
  Shape shape;
  for (const auto axis : permutation) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return {std::move(shape), in[0].batched};
}

// dx = dy, permuted back
std::vector<Value> derivative(const Node& node, std::span<const Value>, Value, Value dy) {
  const auto& permutation = node.attributes.as<TransposeAttributes>().permutation;
  std::vector<std::int64_t> inverse(permutation.size());
  for (std::size_t d = 0; d < permutation.size(); ++d) {
    inverse[static_cast<std::size_t>(permutation[d])] = static_cast<std::int64_t>(d);
  }
  return {transpose(dy, std::move(inverse))};
}

}  // namespace

const Op op_transpose{.name = "transpose",
                      .attributes = TransposeAttributes{},
                      .arity = 1,
                      .infer = infer,
                      .kernels = kKernels,
                      .derivative = derivative,
                      .formula = Formula{"#1^{\\top}"},
                      .onnx = "Transpose",
                      .exact = true,
                      .samples = std::vector<Sample>{{TransposeAttributes{{1, 0}}, {{{2, 3}}}},
                                                     {TransposeAttributes{{1, 2, 0}}, {{{2, 3, 4}}}},
                                                     {TransposeAttributes{{0, 2, 1}}, {{{2, 3, 3}, false}}},
                                                     {TransposeAttributes{}, {{{}}}}}};

Value transpose(Value x, std::vector<std::int64_t> permutation) {
  if (permutation.empty()) {  // the axes in reverse
    permutation.resize(x.shape().size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  return x.graph().apply(op_transpose, TransposeAttributes{std::move(permutation)}, {{x}});
}

}  // namespace chalk
#endif
