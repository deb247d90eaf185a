// Σ x² of a shared value, such as a gradient whose norm is wanted.
#include <algorithm>
#include <array>

#include "src/ops/reduce.h"
#include "src/ops/registry.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

/// In the order of the operation's own kernel (reduce-inl.h): element k enters partial sum k mod 16, which is lane k
/// mod 16 of a vector, and these fold in a tree.
class SquareSum : public PlannedKernel {
 public:
  explicit SquareSum(std::int64_t count) : count_(static_cast<std::size_t>(count)) {
    scope = Scope::shared;
    runs_one = true;
    scratch = 16;
  }

  void run(const KernelRun& call) const override {
    constexpr std::array kLinks{Link{LinkKind::load, 0}, Link{LinkKind::square}, Link{LinkKind::sum, 1}};
    float* const sums = call.scratch;
    std::fill_n(sums, 16, 0.0F);
    float* const at[] = {const_cast<float*>(call.in[0]), sums};
    const auto lanes = static_cast<int>((count_ - 1) % 16 + 1);
    chalk::run_chain(kLinks, at, (count_ + 15) / 16, {.step = 0, .lanes = lanes});
    for (std::size_t half = 8; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    }
    call.out[0][0] = sums[0];
  }
  void run_one(const KernelRun& call) const override { run(call); }

 private:
  std::size_t count_;
};

}  // namespace

bool claim_square_sum(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_sum || node.type.batched || elements(node.type.shape) != 1) return false;
  const NodeId square = node.inputs[0];
  const Node& product = f.node(square);
  if (product.op != &op_mul || product.inputs[0] != product.inputs[1] || f.only_user(square) != id) return false;
  auto kernel = std::make_unique<SquareSum>(elements(product.type.shape));
  kernel->name = "mul+sum";
  kernel->inputs = {product.inputs[0]};
  kernel->nodes = {square, id};
  kernel->outputs = {id};
  return f.claim(std::move(kernel));
}

}  // namespace chalk
