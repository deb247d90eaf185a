// y = Σ over the samples of the batch. No kernel of one sample can do it: the executor folds lanes, microbatches and
// slots in a fixed tree (src/run), the reference evaluator adds sample after sample.
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

Type infer(const Attributes&, std::span<const Type> in) {
  if (!in[0].batched)
    throw ShapeError("its input is shared by all samples already; multiply by the batch size instead");
  return {in[0].shape, false};
}

// dxₙ = dy for every sample n
std::vector<Value> derivative(const Node&, std::span<const Value>, Value, Value dy) { return {batch_broadcast(dy)}; }

}  // namespace

const Op op_batch_sum{.name = "batch_sum",
                      .attributes = Attributes{},
                      .arity = 1,
                      .infer = infer,
                      .kernels = Kernels{nullptr, nullptr, nullptr, nullptr},
                      .derivative = derivative,
                      .formula = Formula{"\\sum_n #1"},
                      .onnx = "",
                      .exact = true,
                      .samples = std::vector<Sample>{{{}, {{{2, 3}}}}, {{}, {{{}}}}}};

Value batch_sum(Value x) { return x.graph().apply(op_batch_sum, {}, {{x}}); }

}  // namespace chalk
