// Single operations, with their own kernels: what runs when nothing tuned fits.
#include <algorithm>

#include "src/ir/op.h"
#include "src/kernels/fold.h"
#include "src/kernels/transfer.h"
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
      const bool by_column = node_.op->by_column && node_.op->by_column(node_.attributes);
      axis_ = by_column && node_.type.shape.back() > channels ? node_.type.shape.size() - 1 : 0;
      shares_one = worth_sharing(moved / 16, (node_.type.shape[axis_] + 15) / 16);
      take_axis_for_samples();
    }
  }

  void run(const KernelRun& call) const override { run(kernel_, call); }
  void run_one(const KernelRun& call) const override {
    if (!node_.op->by_channel) {
      run(node_.op->kernels.value.shared, call);
    } else if (axis_ == 0) {
      run_channels(call);
    } else {
      run_columns(call);
    }
  }

 private:
  /// For an operation by channel, sixteen channels of one sample are as good as one channel of sixteen samples; and so
  /// are sixteen columns, if it is by column.
  void take_axis_for_samples() {
    slice_types_ = types_;
    slice_type_ = node_.type;
    for (auto& type : slice_types_) {
      type.shape[axis_] = 1;
      type.batched = true;
      scratch += static_cast<std::size_t>(elements(type.shape)) * 16;
    }
    slice_type_.shape[axis_] = 1;
    scratch += static_cast<std::size_t>(elements(slice_type_.shape)) * 16;
  }

  void run_channels(const KernelRun& call) const {
    const Interval some = call.share.of(node_.type.shape[0], 16);
    const auto made = static_cast<std::size_t>(elements(slice_type_.shape));
    for (std::int64_t c = some.begin; c < some.end; c += 16) {
      const auto count = static_cast<int>(std::min<std::int64_t>(16, some.end - c));
      float* room = call.scratch;
      const void* in[2];
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto plane = static_cast<std::size_t>(elements(slice_types_[i].shape));
        gather_channels(call.in[i] + static_cast<std::size_t>(c) * plane, plane, count, room);
        in[i] = room;
        room += plane * 16;
      }
      node_.op->kernels.value.lanes({&node_.attributes, slice_types_, {in, inputs.size()}, &slice_type_, room});
      scatter_values(room, made, count, call.out[0] + static_cast<std::size_t>(c) * made);
    }
  }

  void run_columns(const KernelRun& call) const {
    const std::int64_t columns = node_.type.shape.back();
    const Interval some = call.share.of(columns, 16);
    for (std::int64_t c = some.begin; c < some.end; c += 16) {
      const std::int64_t count = std::min<std::int64_t>(16, some.end - c);
      float* room = call.scratch;
      const void* in[2];
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        in[i] = room;
        const std::int64_t rows = elements(slice_types_[i].shape);
        for (std::int64_t r = 0; r < rows; ++r, room += 16) {
          std::copy_n(call.in[i] + r * columns + c, count, room);
          std::fill_n(room + count, 16 - count, 0.0f);
        }
      }
      node_.op->kernels.value.lanes({&node_.attributes, slice_types_, {in, inputs.size()}, &slice_type_, room});
      const std::int64_t rows = elements(slice_type_.shape);
      for (std::int64_t r = 0; r < rows; ++r) std::copy_n(room + r * 16, count, call.out[0] + r * columns + c);
    }
  }

  void run(Kernel kernel, const KernelRun& call) const {
    const auto* in = reinterpret_cast<const void* const*>(call.in);
    kernel({&node_.attributes, types_, {in, inputs.size()}, &node_.type, call.out[0], call.share});
  }

  const Node node_;
  std::vector<Type> types_;
  std::size_t axis_ = 0;           // of which sixteen are taken for samples, where there is one: channels or columns
  std::vector<Type> slice_types_;  // of the inputs,
  Type slice_type_;                // and of the result, where a lane is one of these
  Kernel kernel_;
};

class BatchSumKernel : public PlannedKernel {
 public:
  BatchSumKernel(const Graph& graph, NodeId id) : count_(elements(graph.node(id).type.shape)) {
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
