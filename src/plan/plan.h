// The plan: everything about running a graph that can be decided from its shapes.
//
// A graph runs in phases. Phase p first works on shared values (one for all samples: packs weights, adds up gradients,
// updates parameters), then lets every microbatch of 16 samples flow through the batched values that can be known by
// then. A batch_sum ends a phase: its value is known in phase p + 1. A network trains in two phases: the second has
// shared values only.
//
// Some kernels run among the shared ones, though on batched values: those that take the whole batch at once, in parts
// that threads share (dense layers with many weights, gradients of dense layers' weights). They read what all
// microbatches have made in the phases before.
//
//   arena   (one per thread)     | x | conv1 | index1 | …  values of one microbatch, memory shared by lifetime |
//   whole   (one per microbatch) | conv1 | …               values that a later phase reads, likewise |
//   slots   (one block per slot) | Σ dW1 | Σ db1 | …       partial sums over samples |
//   shared                       | constants | packed W1 | dW1 | db1 | … |
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/plan/kernel.h"
#include "src/plan/memory.h"

namespace chalk {

/// Where a value lives.
struct Location {
  enum class Space : std::uint8_t {
    none,
    arena,     // offset in the thread's arena, in floats
    shared,    // offset in shared memory
    slots,     // offset in each slot's block
    whole,     // offset in what is kept of each microbatch, for later phases
    variable,  // index of a parameter
  };
  Space space = Space::none;
  std::size_t offset = 0;
};

/// A kernel and where its values are.
struct Step {
  const PlannedKernel* kernel = nullptr;
  std::vector<Location> in, out;
  std::vector<std::size_t> in_step,
      out_step;            // over the batch: floats from a microbatch to the next
  std::size_t packed = 0;  // offset in shared memory, which weights of different phases may have in common
};

/// A piece of work on shared values.
struct SharedItem {
  enum class Kind : std::uint8_t { fold, pack, run, copy };
  Kind kind = Kind::run;
  std::size_t step = 0;            // run, pack: which of Phase::shared_steps / Plan::packs
  Location from, to;               // fold, copy
  std::size_t begin = 0, end = 0;  // floats (fold, copy) or parts (run),
  std::size_t all = 1;             // of as many
};

struct Phase {
  std::vector<Step> shared_steps;
  std::vector<std::vector<SharedItem>> waves;  // items of one wave do not depend on each other

  struct Gather {
    std::size_t input = 0;  // of Plan::inputs
    Location to;
    bool rows = false;  // as rows of samples, not lanes
  };
  struct Transposition {  // of lanes into rows of samples
    std::int64_t elements = 0;
    Location from, to;
  };
  struct Delivery {
    std::size_t output = 0;  // of Plan::outputs
    Location from;
  };
  std::vector<Gather> gathers;
  std::vector<Step> steps;
  std::vector<Transposition> transpositions;
  std::vector<Delivery> deliveries;
  bool sums = false;    // some step adds to slots
  int guard_wave = -1;  // after this wave the guarded value is known
};

struct Plan {
  Graph graph;  // after all passes; kernels refer to it
  KernelList kernels;
  std::vector<Phase> phases;

  struct Input {
    std::string name;
    Type type;
    Location location;   // of a shared one
    bool noise = false;  // drawn where it is not fed
  };
  struct Output {
    std::string name;
    Type type;
    Location location;  // of a shared one
  };
  struct Pack {
    const PlannedKernel* kernel = nullptr;
    Location from;
    std::size_t to = 0;  // offset in shared memory
  };
  struct Constant {
    std::size_t at = 0, count = 0;
    float value = 0;
  };
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<Pack> packs;
  std::vector<Constant> constants;
  std::vector<std::string> variables;                        // Location::Space::variable indexes these
  std::vector<Lifetime> arena_values, kept_values;           // for red zones
  Location batch_size;                                       // none if nothing reads it
  Location guard;                                            // of the guarded value, none if there is none
  std::size_t arena = 0, shared = 0, slot = 0, scratch = 0;  // floats; arena excludes scratch
  std::size_t kept = 0;                                      // floats of each microbatch
  int slots = 0;                                             // most partial sums of a batch; 0 if nothing is summed
  bool runs_one = false;                                     // a microbatch of one sample can run by run_one()

  std::string print() const;
  /// What a run of so many samples takes: parameters and all that is booked here.
  std::size_t bytes(std::size_t samples, int threads) const;
};

inline std::size_t microbatches_of(std::size_t samples) { return (samples + 15) / 16; }

/// The most that a run may take.
struct MemoryLimit {
  std::size_t bytes = 0;  // 0: no limit
  std::size_t samples = 0;
  int threads = 1;
};

/// Plans the graph as it is (passes have run). `guard`: name of a shared scalar output that must be known before any
/// parameter is updated; empty for none. Values are computed again rather than kept as far as the limit demands; if
/// that is not enough, the plan is one that takes more.
Plan make_plan(const Graph& graph, bool tuned, const std::string& guard = {}, const MemoryLimit& limit = {});

}  // namespace chalk
