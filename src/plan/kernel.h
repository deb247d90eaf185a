// Kernels as the plan sees them: one or several nodes of the graph that run as one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/base/share.h"
#include "src/kernels/chain.h"

namespace chalk {

/// One call. Batched values are lane groups (place × 16 samples), shared values plain floats padded to 16. For
/// run_one(), batched values are plain floats too.
struct KernelRun {
  const float* const* in = nullptr;  // in order of PlannedKernel::inputs
  float* const* out = nullptr;
  const float* packed = nullptr;
  float* scratch = nullptr;
  int valid = 16;                  // lanes that hold samples; the others hold copies of one and count in no sum
  bool accumulate = false;         // batch sums: add to out instead of writing it
  Share share = {};                // of one microbatch
  std::size_t begin = 0, end = 1;  // the parts to do
  std::size_t slot = 0;            // inputs that are read from slots: floats from a slot to the next
  int slots = 0;                   // and how many of them hold sums
  // Kernels over the whole batch only:
  std::size_t microbatches = 0;          // of which the last one has `valid` samples,
  bool alone = false;                    // or is one sample in plain floats
  const std::size_t* in_step = nullptr;  // batched values: floats from a microbatch to the next
  const std::size_t* out_step = nullptr;
};

/// A step made for certain nodes and shapes. Does not change once it has been planned.
class PlannedKernel {
 public:
  virtual ~PlannedKernel() = default;

  /// What it runs once for.
  enum class Scope : std::uint8_t {
    microbatch,  // each microbatch
    shared,      // a run, on values that are the same for all samples
    batch,       // a run, on the values of all microbatches (see plan.h)
  };
  /// Weights in another layout, which pack() makes once a run.
  struct Packing {
    NodeId from = -1;  // a shared input
    std::size_t floats = 0;
    bool only_for_one = false;  // only run_one() reads it
  };
  /// Parts that threads may do side by side.
  struct Parts {
    std::size_t count = 1;
    std::size_t grain = 1;                   // how many of them a thread takes at a time
    std::optional<std::size_t> floats = {};  // of its one output in a part, if run_part() can make a single part
  };

  std::string name;
  std::vector<NodeId> nodes;    // what it computes, in the graph's order
  std::vector<NodeId> inputs;   // values it reads
  std::vector<NodeId> outputs;  // values it writes
  Scope scope = Scope::microbatch;
  bool sums_batch = false;  // its output is a batch_sum: each microbatch adds to one partial sum a slot
  bool runs_one = false;    // has run_one()
  int shares = 1;           // of one microbatch: among how many threads a call of run() is worth dividing,
  int shares_one = 1;       // and one of run_one()
  int phase = 0;            // not to be run before this one (see plan.h)
  std::size_t scratch = 0;  // floats for each thread
  std::optional<Packing> packing;
  std::optional<Parts> parts;  // without them it is run as a whole
  std::optional<std::size_t>
      reads_rows;  // over the batch: input that it reads as rows of samples, [16][elements, to 16]

  /// True if from now on the kernel will take this input, a batch_sum, as partial sums in slots, and fold them itself.
  virtual bool read_slots(std::size_t /*input*/) { return false; }
  /// The kernel that does the work of this one and of `maker`, which makes this input part by part where it is read; it
  /// takes both. Null, and nothing taken, if there is none.
  virtual std::unique_ptr<PlannedKernel> with_maker(std::size_t /*input*/, std::unique_ptr<PlannedKernel>& /*maker*/) {
    return nullptr;
  }
  /// True if from now on run_chain() does these links with each part of the output, which is the operand `made`;
  /// `written`: operands whose values are wanted, all others are the chain's own.
  virtual bool take_chain(std::span<const Link> /*links*/, std::uint16_t /*made*/,
                          std::span<const std::uint16_t> /*written*/) {
    return false;
  }

  virtual void pack(const float* /*from*/, float* /*packed*/, Share /*share*/) const {}
  virtual void run(const KernelRun& call) const = 0;
  /// Makes one part of the output (the last one may be shorter).
  virtual void run_part(const KernelRun& /*call*/, std::size_t /*part*/, float* /*to*/) const {}
  /// Makes one part and does the links with it, in registers; `at`: where the operands of this part begin.
  virtual void run_chain(const KernelRun& /*call*/, std::size_t /*part*/, float* const* /*at*/) const {}
  /// What run() computes for a sample, bit for bit, for a single sample. Up to 15 floats after a value may be
  /// written.
  virtual void run_one(const KernelRun& /*call*/) const {}
};

using KernelList = std::vector<std::unique_ptr<PlannedKernel>>;

/// One line a kernel: `conv2d+bias+relu+max_pool : %7 … -> %12, %13`.
std::string print_kernels(const Graph& graph, const KernelList& kernels);

}  // namespace chalk
