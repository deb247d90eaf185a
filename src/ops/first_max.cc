// y = 1 at the first maximum (row-major) of each reduced group, 0 elsewhere; the first NaN is a maximum.
// Constant almost everywhere: no derivative.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/first_max.cc"
#include <hwy/foreach_target.h>

#include "src/ops/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0);
  const Reduction r(a.template attributes<AxesAttributes>().axes, a.shape(0));
  for (std::int64_t i = 0; i < r.groups(); ++i) {
    const T most = largest<T>(x, r, i);
    T found(0);  // 1 once the maximum has been met
    each_place(r, i, [&](std::int64_t at) HWY_ATTR {
      const T hit = select(x[at] == most || is_nan(x[at]), T(1) - found, T(0));
      a.out(at, hit);
      found = found + hit;
    });
  }
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

}  // namespace

const Op op_first_max{.name = "first_max",
                      .attributes = AxesAttributes{},
                      .arity = 1,
                      .infer = infer,
                      .kernels = kKernels,
                      .derivative = nullptr,
                      .formula = Formula{"[#1 = \\max #1]"},
                      .onnx = "",
                      .exact = true,
                      .samples = std::vector<Sample>{{AxesAttributes{}, {{{2, 3}}}},
                                                     {AxesAttributes{{0, 2}}, {{{2, 3, 4}, true, -1, 1, 0.5, false}}},
                                                     {AxesAttributes{{1}}, {{{3, 4}, false, -1, 1, 0.5, false}}},
                                                     {AxesAttributes{}, {{{}}}}}};

Value first_max(Value x, std::vector<std::int64_t> axes) {
  return x.graph().apply(op_first_max, AxesAttributes{std::move(axes)}, {{x}});
}

}  // namespace chalk
#endif
