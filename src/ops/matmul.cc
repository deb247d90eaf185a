// y = a · b for matrices, either one transposed first: y[i,j] = Σ_k a[i,k] · b[k,j].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/matmul.cc"
#include <hwy/foreach_target.h>

#include "src/ops/attributes.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

template <class T>
void kernel(const Args<T>& a) {
  const auto& flags = a.template attributes<MatmulAttributes>();
  const Shape &left = a.shape(0), &right = a.shape(1), &shape = a.shape();
  const auto x = a.in(0), y = a.in(1);
  const auto depth = left[flags.transpose_a ? 0 : 1];
  const auto row = flags.transpose_a ? 1 : left[1], down = flags.transpose_a ? left[1] : 1;
  const auto column = flags.transpose_b ? right[1] : 1, across = flags.transpose_b ? 1 : right[1];
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    for (std::int64_t j = 0; j < shape[1]; ++j) {
      T total(0);
      for (std::int64_t k = 0; k < depth; ++k) {
        total = fma(x[i * row + k * down], y[j * column + k * across], total);
      }
      a.out(i * shape[1] + j, total);
    }
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
  const auto& a = attributes.as<MatmulAttributes>();
  const Shape &left = in[0].shape, &right = in[1].shape;
  if (left.size() != 2 || right.size() != 2) {
    throw ShapeError(str("multiplies two matrices, not ", to_string(left), " by ", to_string(right),
                         "; reshape them to two axes, or use dense for a vector"));
  }
  const auto columns = left[a.transpose_a ? 0 : 1], rows = right[a.transpose_b ? 1 : 0];
  if (columns != rows) {
    throw ShapeError(str(to_string(left), a.transpose_a ? " transposed" : "", " times ", to_string(right),
                         a.transpose_b ? " transposed" : "", " meets ", columns, " columns with ", rows,
                         " rows; make them equal, or transpose one of the two"));
  }
  return {{left[a.transpose_a ? 1 : 0], right[a.transpose_b ? 0 : 1]}, any_batched(in)};
}

// With y = a·b: da = dy·bᵀ, db = aᵀ·dy. Where a (or b) was transposed first, so is its gradient: (dy·bᵀ)ᵀ = b·dyᵀ.
std::vector<Value> derivative(const Node& node, std::span<const Value> in, Value, Value dy) {
  const auto [ta, tb] = node.attributes.as<MatmulAttributes>();
  return {ta ? matmul(in[1], dy, tb, true) : matmul(dy, in[1], false, !tb),
          tb ? matmul(dy, in[0], true, ta) : matmul(in[0], dy, !ta, false)};
}

}  // namespace

const Op op_matmul{.name = "matmul",
                   .attributes = MatmulAttributes{},
                   .arity = 2,
                   .infer = infer,
                   .kernels = kKernels,
                   .derivative = derivative,
                   .formula = Formula{"#1 #2"},
                   .onnx = "MatMul",
                   .exact = false,
                   .samples = std::vector<Sample>{{MatmulAttributes{}, {{{2, 3}}, {{3, 4}}}},
                                                  {MatmulAttributes{true, false}, {{{3, 2}, false}, {{3, 4}}}},
                                                  {MatmulAttributes{false, true}, {{{2, 3}}, {{4, 3}, false}}},
                                                  {MatmulAttributes{true, true}, {{{3, 2}}, {{4, 3}}}},
                                                  {MatmulAttributes{}, {{{3, 3}, false}, {{3, 3}, false}}}}};

Value matmul(Value a, Value b, bool transpose_a, bool transpose_b) {
  return a.graph().apply(op_matmul, MatmulAttributes{transpose_a, transpose_b}, {{a, b}});
}

}  // namespace chalk
#endif
