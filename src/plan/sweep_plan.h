// What a sweep does: elementwise operations, and sums over the places of each channel, in one walk over memory. Blocks
// of a few lane groups pass through all operations while they are in the first-level cache. Planned once
// (plan_sweep()), run by src/plan/sweep_run.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/ir/op.h"
#include "src/kernels/chain.h"
#include "src/plan/fuse.h"
#include "src/plan/kernel.h"

namespace chalk {

/// The node is a sum or mean of batched values over all axes but the first.
bool sums_channels(const Graph& graph, NodeId id);

/// The node is a sum or mean of batched values over the first axis: of all channels, for each place.
bool sums_places(const Graph& graph, NodeId id);

/// Broadcast to the domain, it is one number for all places of each channel, or for all channels.
bool is_by_channel(const Shape& shape, const Shape& domain);

/// Broadcast to the domain, it is the same for all channels, and there are so many places that a channel's are worth a
/// walk.
bool is_by_place(const Shape& shape, const Shape& domain);

/// Values are numbered; each has room for a block in scratch memory.
struct SweepPlan {
  static constexpr std::size_t kMostValues = 64;

  /// A value that comes from outside.
  struct Operand {
    enum class Form : std::uint8_t {
      aligned,   // read where it is
      number,    // one for all places
      channel,   // one for all places of a channel
      place,     // one for all channels of a place
      gathered,  // any other that broadcasts
      slots,     // partial sums to be folded where they are read
      part,      // made just before, a part at a time, by another kernel
    };
    Form form = Form::aligned;
    std::size_t value = 0;
    std::size_t input = 0;  // of the kernel; none for a part
    bool shared = false;
    bool whole = false;                      // of the shape that is swept over
    bool repeated = false;                   // the same for all places, but read by an operation that has no link
    std::size_t step = 0;                    // channel: from one to the next
    std::vector<std::uint32_t> places = {};  // gathered: which element of the input each place reads,
    std::size_t run = 1;                     // and how many neighbours read the same
  };
  struct Operation {
    const Op* op;
    Sweep sweep;
    std::vector<std::size_t> in;
    std::size_t out;
    std::optional<std::size_t> output;  // of the kernel, if it is written out
  };
  struct ChannelSum {
    std::size_t in, out;
    bool mean;
    std::optional<std::size_t> output;
    bool repeated = false;  // as of an operand
  };
  /// A chain of operations, or one that does not fit into any.
  using Stage = std::variant<std::vector<Link>, Operation>;
  /// One walk over the places of a channel: the sums of one are known to the operations of the next.
  struct Round {
    std::vector<std::size_t> reads;     // operands that are read block by block
    std::vector<Operation> operations;  // in the graph's order,
    std::vector<ChannelSum> sums;       // and sums,
    std::vector<Stage> stages;          // and what does both
  };

  std::vector<NodeId> nodes, inputs, outputs;
  std::string name;  // of all operations
  bool batched = false;
  std::size_t values = 0;
  std::size_t channels = 1, places = 1;  // lane groups: channels × places
  bool across = false;                   // its sums are of all channels for each place, and it does not read them
  std::vector<Operand> operands;
  std::vector<Round> rounds;

  /// The operand that is this input, read where it is; or null.
  Operand* aligned(std::size_t input);
  /// From now on this input, if it is read where it is, are partial sums in slots (true if so).
  bool read_slots(std::size_t input);
  /// From now on this input, which is read where it is, is a part that is made just before and no input any more.
  /// Returns which value it is.
  std::size_t read_parts(std::size_t input);
};

/// `members` in the graph's order; `domain`: the type of what is swept over.
SweepPlan plan_sweep(const Fusion& fusion, std::vector<NodeId> members, const Type& domain);

}  // namespace chalk
