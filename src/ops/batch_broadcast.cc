// y = the same shared value for each sample.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/batch_broadcast.cc"
#include <hwy/foreach_target.h>

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
#include "src/ops/registry.h"

namespace chalk {
namespace {

CHALK_DISPATCH()

Type infer(const Attributes&, std::span<const Type> in) {
  if (in[0].batched) throw ShapeError("its input is one per sample already; use it as it is");
  return {in[0].shape, true};
}

// dx = Σₙ dyₙ
std::vector<Value> derivative(const Node&, std::span<const Value>, Value, Value dy) { return {batch_sum(dy)}; }

}  // namespace

const Op op_batch_broadcast{.name = "batch_broadcast",
                            .attributes = Attributes{},
                            .arity = 1,
                            .infer = infer,
                            .kernels = kKernels,
                            .derivative = derivative,
                            .formula = Formula{"#1"},
                            .onnx = "",
                            .exact = true,
                            .samples = std::vector<Sample>{{{}, {{{2, 3}, false}}}, {{}, {{{}, false}}}}};

Value batch_broadcast(Value x) { return x.graph().apply(op_batch_broadcast, {}, {{x}}); }

}  // namespace chalk
#endif
