// y = the part [start, stop) of x, per axis.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/slice.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& start = a.template attributes<SliceAttributes>().start;
  const auto x = a.in(0);
  const auto strides = strides_of(a.shape(0));
  std::int64_t first = 0;
  for (std::size_t d = 0; d < start.size(); ++d) first += start[d] * strides[d];
  walk_runs(a.shape(), strides, first,
            [&](std::int64_t i, std::int64_t at, std::int64_t step, std::int64_t n)
                HWY_ATTR { a.move(i, x, at, step, n); });
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
  const auto& [start, stop] = attributes.as<SliceAttributes>();
  const Shape& x = in[0].shape;
  check_rank(x);
  if (start.size() != x.size() || stop.size() != x.size()) {
    throw ShapeError(str(start.size(), " starts and ", stop.size(), " stops do not fit ", to_string(x),
                         "; give one of each for each of its ", x.size(), " axes"));
  }
  Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (start[d] < 0 || start[d] >= stop[d] || stop[d] > x[d]) {
      throw ShapeError(str("[", start[d], ", ", stop[d], ") is no part of axis ", d, " of ", to_string(x),
                           "; it needs 0 ≤ start < stop ≤ ", x[d]));
    }
    shape.push_back(stop[d] - start[d]);
  }
  return {std::move(shape), in[0].batched};
}

// dx = dy, with zeros where nothing was taken
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto& [start, stop] = node.attributes.as<SliceAttributes>();
  Shape after = in[0].shape();
  for (std::size_t d = 0; d < after.size(); ++d) after[d] -= stop[d];
  return {pad(dy, start, std::move(after))};
}

}  // namespace

const Op op_slice{.name = "slice",
                  .attributes = SliceAttributes{},
                  .arity = 1,
                  .infer = infer,
                  .kernels = kKernels,
                  .derivative = derivative,
                  .formula = Formula{"\\operatorname{slice}(#1)"},
                  .onnx = "Slice",
                  .exact = true,
                  .samples = std::vector<Sample>{{SliceAttributes{{1, 0}, {3, 2}}, {{{4, 3}}}},
                                                 {SliceAttributes{{0, 1, 2}, {2, 2, 3}}, {{{2, 3, 4}, false}}},
                                                 {SliceAttributes{{0}, {3}}, {{{3}}}},
                                                 {SliceAttributes{}, {{{}}}}}};

Value slice(Value x, std::vector<std::int64_t> start, std::vector<std::int64_t> stop) {
  return x.graph().apply(op_slice, SliceAttributes{std::move(start), std::move(stop)}, {{x}});
}

}  // namespace chalk
#endif
