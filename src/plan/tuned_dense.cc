// Which dense layers of a graph the tuned kernels of src/kernels/dense.h can run.
#include <algorithm>

#include "src/kernels/dense.h"
#include "src/kernels/dense_one.h"
#include "src/ops/attributes.h"
#include "src/ops/registry.h"
#include "src/plan/tail.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

constexpr std::int64_t kDensePart = 32;  // outputs (input gradient: inputs) of a part

void take_whole_batch(PlannedKernel& kernel, std::int64_t count) {
  kernel.scope = PlannedKernel::Scope::batch;
  kernel.parts = {.count = static_cast<std::size_t>((count + kDensePart - 1) / kDensePart)};
}

/// Outputs or inputs that a call is for.
struct Part {
  Part(std::size_t first, std::size_t end, std::int64_t all)
      : begin(static_cast<std::int64_t>(first) * kDensePart),
        count(std::min(all, static_cast<std::int64_t>(end) * kDensePart) - begin) {}
  std::int64_t begin, count;
};

std::int64_t step(const std::size_t* steps, int which) { return static_cast<std::int64_t>(steps[which]); }

class DenseForward : public PlannedKernel {
 public:
  DenseForward(const Shape& w, bool bias, bool with_relu, bool whole_batch)
      : outputs_(w[0]), inputs_(w[1]), bias_(bias), relu_(with_relu) {
    runs_one = true;
    shares = worth_sharing(outputs_ * inputs_, outputs_ / 16);
    shares_one = worth_sharing(outputs_ * inputs_ / 16, outputs_ / 16);
    if (whole_batch) take_whole_batch(*this, outputs_);
  }
  void pack(const float* from, float* to, Share share) const override {
    dense_one_pack(outputs_, inputs_, from, to, share);
  }
  void run(const KernelRun& call) const override {
    if (scope != Scope::batch) {
      const auto [begin, end] = call.share.of(outputs_, 16);
      return dense_forward(end - begin, inputs_, {}, call.in[0], call.in[1] + begin * inputs_, bias(call, begin), relu_,
                           call.out[0] + begin * 16);
    }
    const Part part(call.begin, call.end, outputs_);
    const float* b = bias(call, part.begin);
    const Microbatches all{static_cast<std::int64_t>(call.microbatches) - (call.alone ? 1 : 0), step(call.in_step, 0),
                           step(call.out_step, 0)};
    dense_forward(part.count, inputs_, all, call.in[0], call.in[1] + part.begin * inputs_, b, relu_,
                  call.out[0] + part.begin * 16);
    if (!call.alone) return;
    dense_one(part.count, inputs_, call.in[0] + all.count * all.x_step, call.packed + part.begin * inputs_, b, relu_,
              call.out[0] + all.count * all.y_step + part.begin);
  }
  void run_one(const KernelRun& call) const override {
    const auto [begin, end] = call.share.of(outputs_, 16);
    dense_one(end - begin, inputs_, call.in[0], call.packed + begin * inputs_, bias(call, begin), relu_,
              call.out[0] + begin);
  }

 private:
  /// From an output on.
  const float* bias(const KernelRun& call, std::int64_t first) const { return bias_ ? call.in[2] + first : nullptr; }

  std::int64_t outputs_, inputs_;
  bool bias_, relu_;
};

class DenseInputGrad : public PlannedKernel {
 public:
  DenseInputGrad(const Shape& w, bool whole_batch) : outputs_(w[0]), inputs_(w[1]) {
    shares = worth_sharing(outputs_ * inputs_, inputs_ / 16);
    if (whole_batch) take_whole_batch(*this, inputs_);
  }
  void run(const KernelRun& call) const override {
    if (scope != Scope::batch) {
      const auto [begin, end] = call.share.of(inputs_, 16);
      return dense_input_grad(outputs_, inputs_, end - begin, {}, call.in[0], call.in[1] + begin,
                              call.out[0] + begin * 16);
    }
    const Part part(call.begin, call.end, inputs_);
    const Microbatches all{static_cast<std::int64_t>(call.microbatches), step(call.out_step, 0), step(call.in_step, 0)};
    dense_input_grad(outputs_, inputs_, part.count, all, call.in[0], call.in[1] + part.begin,
                     call.out[0] + part.begin * 16);
  }

 private:
  std::int64_t outputs_, inputs_;
};

/// Reads δ, and x as rows of samples; makes its one output part by part.
class DenseWeightGrad : public PlannedKernel {
 public:
  explicit DenseWeightGrad(const Shape& w) : outputs_(w[0]), inputs_(w[1]) {
    take_whole_batch(*this, outputs_);
    parts->floats = static_cast<std::size_t>(kDensePart * inputs_);
    reads_rows = 1;
  }
  bool take_chain(std::span<const Link> links, std::uint16_t made, std::span<const std::uint16_t> written) override {
    chain_ = find_sgd_chain(links, made, written);
    return chain_.has_value();
  }
  void run(const KernelRun& call) const override {
    for (std::size_t part = call.begin; part < call.end; ++part)
      run_part(call, part, call.out[0] + part * *parts->floats);
  }
  void run_part(const KernelRun& call, std::size_t which, float* to) const override {
    const Part part(which, which + 1, outputs_);
    dense_weight_grad(sums(call, part), call.in[1], call.in[0] + part.begin * 16, to);
  }
  void run_chain(const KernelRun& call, std::size_t which, float* const* at) const override {
    const Part part(which, which + 1, outputs_);
    dense_weight_step(sums(call, part), call.in[1], call.in[0] + part.begin * 16, chain_->step(at));
  }

 private:
  DenseBatch sums(const KernelRun& call, const Part& part) const {
    const Microbatches all{static_cast<std::int64_t>(call.microbatches), step(call.in_step, 1), step(call.in_step, 0)};
    return {part.count, inputs_, all, call.valid, call.slots};
  }

  std::int64_t outputs_, inputs_;
  std::optional<SgdChain> chain_;  // that run_chain() does
};

}  // namespace

bool claim_dense_forward(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_dense || !f.batched(node.inputs[0]) || f.batched(node.inputs[1])) return false;
  if (node.attributes.as<DenseAttributes>().transposed) return false;
  Tail tail = follow(f, id, node.type.shape);
  auto kernel = std::make_unique<DenseForward>(f.shape(node.inputs[1]), tail.bias >= 0, tail.relu, f.over_batch(id));
  kernel->name = described("dense", tail);
  kernel->inputs = node.inputs;
  const Shape& w = f.shape(node.inputs[1]);
  kernel->packing = {.from = node.inputs[1], .floats = dense_one_packed(w[0], w[1]), .only_for_one = true};
  if (tail.bias >= 0) kernel->inputs.push_back(tail.bias);
  kernel->nodes = tail.nodes;
  kernel->outputs = {tail.last};
  return f.claim(std::move(kernel));
}

bool claim_dense_input_grad(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_dense || !f.batched(node.inputs[0]) || f.batched(node.inputs[1])) return false;
  if (!node.attributes.as<DenseAttributes>().transposed) return false;
  auto kernel = std::make_unique<DenseInputGrad>(f.shape(node.inputs[1]), f.over_batch(id));
  kernel->name = "dense_input_grad";
  kernel->inputs = node.inputs;
  kernel->nodes = kernel->outputs = {id};
  return f.claim(std::move(kernel));
}

bool claim_dense_weight_grad(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_outer || !f.over_batch(id)) return false;
  const NodeId sum = f.only_user(id);
  auto kernel = std::make_unique<DenseWeightGrad>(node.type.shape);
  kernel->name = "dense_weight_grad+batch_sum";
  kernel->inputs = node.inputs;
  kernel->nodes = {id, sum};
  kernel->outputs = {sum};
  return f.claim(std::move(kernel));
}

}  // namespace chalk
