// Single operations, with their own kernels: what runs when nothing tuned fits.
#include "src/ir/op.h"
#include "src/kernels/fold.h"
#include "src/ops/registry.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

class SingleKernel : public PlannedKernel {
 public:
  SingleKernel(const Graph& graph, NodeId id) : node_(graph.node(id)) {
    name = node_.op->name.value;
    nodes = outputs = {id};
    inputs = node_.inputs;
    for (const auto input : inputs) types_.push_back(graph.node(input).type);
    kernel_ = node_.type.batched ? node_.op->kernels.value.lanes : node_.op->kernels.value.shared;
    scope = node_.type.batched ? Scope::microbatch : Scope::shared;
    runs_one = true;
    if (node_.op->by_channel) {
      const std::int64_t channels = node_.type.shape[0];
      std::int64_t moved = elements(node_.type.shape);
      for (const auto& type : types_) moved += elements(type.shape);
      shares = worth_sharing(moved, channels);
      shares_one = worth_sharing(moved, channels / 16);
    }
  }

  void run(const KernelRun& call) const override { run(kernel_, call); }
  void run_one(const KernelRun& call) const override { run(node_.op->kernels.value.shared, call); }

 private:
  void run(Kernel kernel, const KernelRun& call) const {
    const auto* in = reinterpret_cast<const void* const*>(call.in);
    kernel({&node_.attributes, types_, {in, inputs.size()}, &node_.type, call.out[0], call.share});
  }

  const Node node_;
  std::vector<Type> types_;
  Kernel kernel_;
};

class BatchSumKernel : public PlannedKernel {
 public:
  BatchSumKernel(const Graph& graph, NodeId id)
      : count_(elements(graph.node(id).type.shape)) {
    name = "batch_sum";
    nodes = outputs = {id};
    inputs = graph.node(id).inputs;
    sums_batch = true;
    shares = worth_sharing(count_, count_ / 16);
  }
  void run(const KernelRun& call) const override {
    const Interval some = call.share.of(count_, 16);
    fold_lanes(call.in[0] + some.begin * 16, static_cast<std::size_t>(some.size()), call.valid, call.accumulate,
               call.out[0] + some.begin);
  }

 private:
  std::int64_t count_;
};

}  // namespace

void claim_single(Fusion& fusion, NodeId id) {
  const Graph& g = fusion.graph();
  if (fusion.node(id).op == &op_batch_sum) {
    fusion.claim(std::make_unique<BatchSumKernel>(g, id));
  } else {
    fusion.claim(std::make_unique<SingleKernel>(g, id));
  }
}

}  // namespace chalk
