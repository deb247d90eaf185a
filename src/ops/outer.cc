// y[i,j] = a[i] · b[j].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/outer.cc"
#include <hwy/foreach_target.h>

#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto x = a.in(0), y = a.in(1);
  const auto rows = a.shape()[0], columns = a.shape()[1];
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) a.out(i * columns + j, x[i] * y[j]);
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

Type infer(const Attributes&, std::span<const Type> in) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  if (a.size() != 1 || b.size() != 1) {
    throw ShapeError(
        str("multiplies two vectors, not ", to_string(a), " by ", to_string(b), "; reshape them to one axis each"));
  }
  return {{a[0], b[0]}, any_batched(in)};
}

// da[i] = Σ_j dy[i,j]·b[j], db[j] = Σ_i dy[i,j]·a[i]
std::vector<Value> derivative(const Node&, std::span<const Value> in, Value, Value dy) {
  return {dense(in[1], dy), dense(in[0], dy, true)};
}

}  // namespace

const Op op_outer{.name = "outer",
                  .attributes = Attributes{},
                  .arity = 2,
                  .infer = infer,
                  .kernels = kKernels,
                  .derivative = derivative,
                  .formula = Formula{"#1 #2^{\\top}"},
                  .onnx = "",
                  .exact = true,
                  .samples = std::vector<Sample>{{{}, {{{3}}, {{4}}}},
                                                 {{}, {{{3}, false}, {{3}}}},
                                                 {{}, {{{2}}, {{1}, false}}},
                                                 {{}, {{{2}, false}, {{3}, false}}}}};

Value outer(Value a, Value b) { return a.graph().apply(op_outer, {}, {{a, b}}); }

}  // namespace chalk
#endif
