// Products of matrices that are the same for all samples, as an optimizer's update may have: C = A·B is the gradient of
// a dense layer's weights (src/kernels/dense.h), with columns of A and rows of B for samples.
#include <algorithm>

#include "src/kernels/dense.h"
#include "src/ops/attributes.h"
#include "src/ops/registry.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

constexpr std::int64_t kMatmulPart = 32;  // rows of the product
constexpr std::int64_t kLanes = 16;

std::int64_t groups(std::int64_t count) { return (count + kLanes - 1) / kLanes; }

/// How a matrix lies in memory: from a row to the next, and from a column to the next.
struct Steps {
  Steps(const Shape& stored, bool transposed) : row(transposed ? 1 : stored[1]), column(transposed ? stored[1] : 1) {}
  std::int64_t row, column;
};

class Matmul : public PlannedKernel {
 public:
  Matmul(const Shape& a, const Shape& b, const MatmulAttributes& flags)
      : a_(a, flags.transpose_a),
        b_(b, flags.transpose_b),
        rows_(a[flags.transpose_a ? 1 : 0]),
        depth_(a[flags.transpose_a ? 0 : 1]),
        columns_(b[flags.transpose_b ? 0 : 1]) {
    scope = Scope::shared;
    parts = {.count = static_cast<std::size_t>((rows_ + kMatmulPart - 1) / kMatmulPart)};
    scratch = static_cast<std::size_t>(a_floats() + groups(depth_) * b_floats());
  }

  void run(const KernelRun& call) const override {
    float* const a = call.scratch;
    float* const b = a + a_floats();
    pack_b(call.in[1], b);
    for (auto part = static_cast<std::int64_t>(call.begin); part < static_cast<std::int64_t>(call.end); ++part) {
      const std::int64_t first = part * kMatmulPart, rows = std::min(kMatmulPart, rows_ - first);
      pack_a(call.in[0] + first * a_.row, rows, a);
      const auto last = static_cast<int>(depth_ - (groups(depth_) - 1) * kLanes);
      dense_weight_grad({rows, columns_, {groups(depth_), b_floats(), rows * kLanes}, last, 1}, b, a,
                        call.out[0] + first * columns_);
    }
  }

 private:
  /// Of sixteen rows of B, each padded to a multiple of 16.
  std::int64_t b_floats() const { return groups(columns_) * kLanes * kLanes; }
  std::int64_t a_floats() const { return groups(depth_) * kMatmulPart * kLanes; }

  void pack_b(const float* from, float* to) const {
    const std::int64_t padded = groups(columns_) * kLanes;
    for (std::int64_t k = 0; k < depth_; ++k, to += padded) {
      for (std::int64_t j = 0; j < columns_; ++j) to[j] = from[k * b_.row + j * b_.column];
      std::fill(to + columns_, to + padded, 0.0F);
    }
  }

  /// Sixteen columns at a time: [rows][16].
  void pack_a(const float* from, std::int64_t rows, float* to) const {
    for (std::int64_t first = 0; first < depth_; first += kLanes) {
      const std::int64_t count = std::min(kLanes, depth_ - first);
      for (std::int64_t i = 0; i < rows; ++i, to += kLanes) {
        for (std::int64_t k = 0; k < count; ++k) to[k] = from[i * a_.row + (first + k) * a_.column];
      }
    }
  }

  Steps a_, b_;
  std::int64_t rows_, depth_, columns_;
};

}  // namespace

bool claim_matmul(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_matmul || node.type.batched) return false;
  auto kernel = std::make_unique<Matmul>(f.shape(node.inputs[0]), f.shape(node.inputs[1]),
                                         node.attributes.as<MatmulAttributes>());
  kernel->name = "matmul";
  kernel->inputs = node.inputs;
  kernel->nodes = kernel->outputs = {id};
  return f.claim(std::move(kernel));
}

}  // namespace chalk
