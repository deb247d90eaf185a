// y[o] = Σ_i W[o,i] · x[i]; transposed: y[i] = Σ_o W[o,i] · x[o].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/dense.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const bool transposed = a.template attributes<DenseAttributes>().transposed;
  const Shape& weights = a.shape(1);
  const auto x = a.in(0), w = a.in(1);
  const auto row = transposed ? 1 : weights[1], down = transposed ? weights[1] : 1;
  const auto outputs = a.shape()[0], inputs = a.shape(0)[0];
  for (std::int64_t o = 0; o < outputs; ++o) {
    T total(0);
    for (std::int64_t i = 0; i < inputs; ++i) total = fma(w[o * row + i * down], x[i], total);
    a.out(o, total);
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
  const bool transposed = attributes.as<DenseAttributes>().transposed;
  const Shape &x = in[0].shape, &w = in[1].shape;
  if (x.size() != 1) throw ShapeError(str("takes a vector, not ", to_string(x), "; reshape it to ", elements(x)));
  if (w.size() != 2) throw ShapeError(str("weights must be outputs × inputs, not ", to_string(w)));
  const auto inputs = w[transposed ? 0 : 1];
  if (x[0] != inputs) {
    throw ShapeError(str(transposed ? "transposed weights of " : "weights of ", to_string(w), " take a vector of ",
                         inputs, ", not ", x[0], "; give the weights ", x[0], transposed ? " rows" : " columns"));
  }
  return {{w[transposed ? 1 : 0]}, any_batched(in)};
}

// dx = Wᵀ·dy, dW[o,i] = dy[o]·x[i]; transposed: dx = W·dy, dW[o,i] = x[o]·dy[i]
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const bool transposed = node.attributes.as<DenseAttributes>().transposed;
  return {dense(dy, in[1], !transposed), transposed ? outer(in[0], dy) : outer(dy, in[0])};
}

}  // namespace

const Op op_dense{.name = "dense",
                  .attributes = DenseAttributes{},
                  .arity = 2,
                  .infer = infer,
                  .kernels = kKernels,
                  .derivative = derivative,
                  .formula = Formula{"#2 #1"},
                  .onnx = "Gemm",
                  .exact = false,
                  .samples = std::vector<Sample>{{DenseAttributes{}, {{{4}}, {{3, 4}, false}}},
                                                 {DenseAttributes{true}, {{{3}}, {{3, 4}, false}}},
                                                 {DenseAttributes{}, {{{3}, false}, {{3, 3}}}},
                                                 {DenseAttributes{true}, {{{3}}, {{3, 3}}}},
                                                 {DenseAttributes{}, {{{2}, false}, {{5, 2}, false}}}}};

Value dense(Value x, Value w, bool transposed) {
  return x.graph().apply(op_dense, DenseAttributes{transposed}, {{x, w}});
}

}  // namespace chalk
#endif
