// Elementwise operations, and sums over the places of each channel, in one sweep over memory: blocks of a few lane
// groups pass through all operations while they are in the first-level cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/ir/op.h"
#include "src/kernels/chain.h"
#include "src/plan/kernel.h"

namespace chalk {

/// The node is a sum or mean of batched values over all axes but the first.
bool sums_channels(const Graph& graph, NodeId id);

/// Broadcast to the domain, it is one number for all places of each channel, or for all channels.
bool is_by_channel(const Shape& shape, const Shape& domain);

class SweepKernel : public PlannedKernel {
 public:
  static constexpr std::size_t kMostValues = 64;

  /// `members` in the graph's order; `domain`: the type of what is swept over.
  SweepKernel(const Fusion& fusion, std::vector<NodeId> members, const Type& domain);
  bool read_slots(std::size_t input) override;
  bool read_parts(std::size_t input, std::unique_ptr<PlannedKernel>& maker) override;
  void run(const KernelRun& call) const override;
  void run_one(const KernelRun& call) const override;

 private:
  struct Value {
    enum class Kind : std::uint8_t {
      made,      // by an operation, block by block
      summed,    // over a channel
      aligned,   // read where it is
      number,    // one for all places
      channel,   // one for all places of a channel
      gathered,  // any other that broadcasts
      slots,     // partial sums to be folded where they are read
      part,      // made by maker_, part by part
    };
    Kind kind = Kind::made;
    std::size_t input = 0;  // in PlannedKernel::inputs
    bool shared = false;
    std::size_t step = 0;               // channel: from one to the next
    int output = -1;                    // in PlannedKernel::outputs, or scratch
    std::vector<std::uint32_t> places;  // gathered: which element of the input each place reads,
    std::size_t run = 1;                // and how many neighbours read the same
    bool whole = false;                 // of the shape that is swept over
    bool repeated = false;              // the same for all places, but read by an operation that has no link
  };
  struct Operation {
    const Op* op;
    Sweep sweep;
    std::vector<std::size_t> in;
    std::size_t out;
    bool again;  // it has been made and written in a pass before
  };
  struct ChannelSum {
    std::size_t in, out;
    bool mean;
  };
  /// A chain of operations, or if there are no links one operation that does not fit into any.
  struct Stage {
    std::vector<Link> links;
    Operation operation;
  };
  /// One pass over the places of a channel: the sums of one are there for the operations of the next.
  struct Pass {
    std::vector<std::size_t> reads;  // aligned, gathered and slots
    std::vector<Operation> operations;
    std::vector<ChannelSum> sums;
    std::vector<Stage> stages;  // that do both
  };
  /// The values of a step of SGD (src/kernels/dense.h).
  struct StepValues {
    std::size_t rate, w, w_next;
    std::optional<std::size_t> decay, momentum;  // and with momentum:
    std::size_t m = 0, m_next = 0;
    bool nesterov = false, ascends = false;
  };
  void external(const Fusion& fusion, NodeId id, const Type& domain);
  void schedule(const std::vector<Operation>& operations, const std::vector<ChannelSum>& sums);
  void link(Pass& pass);
  bool find_step(std::size_t gradient);
  SgdStep sgd_step(const KernelRun& call) const;
  std::uint8_t step_of(std::size_t value) const;
  // Where there is one sample (kOne), a place is a float, else a group of sixteen.
  template <bool kOne>
  void sweep(const KernelRun& call, std::size_t first, std::size_t last) const;
  template <bool kOne>
  void fill_channel(std::size_t channel, std::size_t copies, const KernelRun& call) const;
  template <bool kOne>
  void run_block(const Pass& pass, std::size_t begin, std::size_t count, const KernelRun& call, float** at) const;
  template <bool kOne>
  const float* read(const Value& value, std::size_t begin, std::size_t count, const KernelRun& call, float* room) const;
  template <bool kOne>
  void finish(const ChannelSum& sum, std::size_t channel, std::size_t copies, const KernelRun& call) const;

  std::vector<Value> values_;
  std::vector<Pass> passes_;
  bool batched_ = false;
  std::size_t channels_ = 1, places_ = 1;  // lane groups: channels × places
  std::unique_ptr<PlannedKernel> maker_;   // of a value that is read part by part,
  std::size_t maker_inputs_ = 0;           // whose own inputs begin here
  std::optional<StepValues> step_;         // what the maker itself does, instead of the operations
};

}  // namespace chalk
