// y = x with zeros put around it, per axis.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/pad.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& before = a.template attributes<PadAttributes>().before;
  const auto x = a.in(0);
  const auto strides = strides_of(a.shape());
  const auto count = elements(a.shape());
  std::int64_t start = 0;
  for (std::size_t d = 0; d < before.size(); ++d) start += before[d] * strides[d];
  std::int64_t next = 0;  // each place is written once, in order
  const auto zeros = [&](std::int64_t end) HWY_ATTR {
    for (; next < end; ++next) {
      a.fetch_out(next);
      a.out(next, T(0));
    }
  };
  walk(a.shape(0), strides, start, [&](std::int64_t i, std::int64_t at) HWY_ATTR {
    zeros(at);
    a.fetch_out(at);
    a.out(at, x[i]);
    next = at + 1;
  });
  zeros(count);
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
  const auto& [before, after] = attributes.as<PadAttributes>();
  Shape shape = in[0].shape;
  check_rank(shape);
  if (before.size() != shape.size() || after.size() != shape.size()) {
    throw ShapeError(str("padding of ", before.size(), " axes before and ", after.size(), " after does not fit ",
                         to_string(shape), "; give one number for each of its ", shape.size(), " axes"));
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (before[d] < 0 || after[d] < 0 || before[d] > kMost || after[d] > kMost) {
      throw ShapeError(str("padding of axis ", d, " by ", before[d], " and ", after[d],
                           "; it must be at least 0 (slice cuts places off)"));
    }
    shape[d] += before[d] + after[d];
  }
  return {std::move(shape), in[0].batched};
}

// dx = the part of dy that is not padding
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto& before = node.attributes.as<PadAttributes>().before;
  auto stop = before;
  for (std::size_t d = 0; d < stop.size(); ++d) stop[d] += in[0].shape()[d];
  return {slice(dy, before, std::move(stop))};
}

}  // namespace

const Op op_pad{.name = "pad",
                .attributes = PadAttributes{},
                .arity = 1,
                .infer = infer,
                .kernels = kKernels,
                .derivative = derivative,
                .formula = Formula{"\\operatorname{pad}(#1)"},
                .onnx = "Pad",
                .exact = true,
                .samples = std::vector<Sample>{{PadAttributes{{1, 2}, {0, 1}}, {{{2, 3}}}},
                                               {PadAttributes{{0, 1, 0}, {2, 0, 0}}, {{{2, 1, 3}, false}}},
                                               {PadAttributes{{0}, {0}}, {{{3}}}},
                                               {PadAttributes{}, {{{}}}}}};

Value pad(Value x, std::vector<std::int64_t> before, std::vector<std::int64_t> after) {
  return x.graph().apply(op_pad, PadAttributes{std::move(before), std::move(after)}, {{x}});
}

}  // namespace chalk
#endif
