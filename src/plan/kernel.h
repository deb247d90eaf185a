// Kernels as the plan sees them: one or several nodes of the graph that run as one step.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

struct SgdStep;

/// One call. Batched values are lane groups (place × 16 samples), shared values plain floats padded to 16. For
/// run_one(), batched values are plain floats too.
struct KernelRun {
  const float* const* in = nullptr;  // in order of PlannedKernel::inputs
  float* const* out = nullptr;
  const float* packed = nullptr;
  float* scratch = nullptr;
  int valid = 16;                  // lanes that hold samples; the others hold copies of one and count in no sum
  bool accumulate = false;         // batch sums: add to out instead of writing it
  std::size_t begin = 0, end = 0;  // the part to do, of `parts`
  std::size_t slot = 0;            // inputs that are read from slots: floats from a slot to the next
  int slots = 0;                   // and how many of them hold sums
  // Kernels over the whole batch only:
  std::size_t microbatches = 0;          // of which the last one has `valid` samples,
  bool alone = false;                    // or is one sample in plain floats
  const std::size_t* in_step = nullptr;  // batched values: floats from a microbatch to the next
  const std::size_t* out_step = nullptr;
};

/// A step made for certain nodes and shapes. Immutable once the plan stands.
class PlannedKernel {
 public:
  virtual ~PlannedKernel() = default;

  std::string name;
  std::vector<NodeId> nodes;    // what it computes, in the graph's order
  std::vector<NodeId> inputs;   // values it reads
  std::vector<NodeId> outputs;  // values it writes
  bool sums_batch = false;      // its output is a batch_sum: one partial sum a slot
  bool over_batch = false;      // it takes the whole batch at once, in parts (see plan.h)
  int phase = 0;                // not to be run before this one (see plan.h)
  std::size_t scratch = 0;      // floats for each thread
  std::size_t packed = 0;       // floats that pack() makes of the shared input `pack_from`, once a run
  NodeId pack_from = -1;
  std::size_t parts = 1;        // shared values: how many parts may run side by side,
  std::size_t grain = 16;       // and how many of them a thread takes at a time
  std::size_t part_floats = 0;  // of its one output that a part makes, if any part can be made by itself; else 0
  int transposed = -1;          // over the batch: input that it reads as rows of samples, [16][elements, to 16]
  bool takes_steps = false;     // has run_step()
  bool runs_one = false;        // has run_one()
  bool packs_for_one = false;   // what pack() makes is for run_one() alone

  /// True if from now on the kernel will take this input, a batch_sum, as partial sums in slots, and fold them itself.
  virtual bool read_slots(std::size_t /*input*/) { return false; }
  /// True if the kernel has taken `maker` and will itself have this input made, part by part, where it is read.
  virtual bool read_parts(std::size_t /*input*/, std::unique_ptr<PlannedKernel>& /*maker*/) { return false; }
  virtual void pack(const float* /*from*/, float* /*packed*/) const {}
  virtual void run(const KernelRun& call) const = 0;
  /// Makes `part_floats` of the output, or what is left for the last part.
  virtual void run_part(const KernelRun& /*call*/, std::size_t /*part*/, float* /*to*/) const {}
  /// Takes the step that this part of the output, a gradient, leads to; `step` has whole matrices.
  virtual void run_step(const KernelRun& /*call*/, std::size_t /*part*/, const SgdStep& /*step*/) const {}
  /// What run() computes of a sample, bit for bit, for one sample by itself. Up to 15 floats after a value may be
  /// written.
  virtual void run_one(const KernelRun& /*call*/) const {}
};

/// What makes this value: a reshape is no work, its value is its input's.
NodeId source_of(const Graph& graph, NodeId id);

/// The graph while its nodes are being divided among kernels. Nodes that are to run as one step are a cluster.
class Fusion {
 public:
  /// `phases`: in which each node runs; `over_batch`: which run over the whole batch.
  Fusion(const Graph& graph, const std::vector<int>& phases, const std::vector<bool>& over_batch);

  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Shape& shape(NodeId id) const { return node(id).type.shape; }
  bool batched(NodeId id) const { return node(id).type.batched; }
  NodeId source(NodeId id) const { return source_of(graph_, id); }
  const std::vector<NodeId>& users(NodeId id) const { return users_[static_cast<std::size_t>(id)]; }
  /// An output of the graph or an update: needed outside.
  bool is_needed_outside(NodeId id) const { return needed_outside_[static_cast<std::size_t>(id)]; }
  /// The only user of a value that nothing else needs and that runs in the same phase, or −1.
  NodeId only_user(NodeId id) const;
  /// By a kernel, or because nothing needs it.
  bool claimed(NodeId id) const { return claimed_[static_cast<std::size_t>(id)]; }
  /// In which a node is to run; see plan.h.
  int phase(NodeId id) const { return phases_[static_cast<std::size_t>(id)]; }
  bool over_batch(NodeId id) const { return over_batch_[static_cast<std::size_t>(id)]; }

  std::vector<std::unique_ptr<PlannedKernel>> kernels;

  /// Adds a kernel and claims its nodes; a cluster may not close a circle (true if added).
  bool claim(std::unique_ptr<PlannedKernel> kernel);
  /// The nodes, which run in one phase, become one cluster, with all of the clusters that some of them are in; but not
  /// if that closes a circle: if one of them needs a value made elsewhere from what another makes (true if joined).
  bool join(std::span<const NodeId> nodes);

 private:
  void mark_needed_outside(NodeId id);
  bool needs_itself(const std::vector<NodeId>& cluster);

  const Graph& graph_;
  std::vector<std::vector<NodeId>> users_;  // that are needed themselves
  std::vector<bool> needed_outside_, claimed_;
  const std::vector<int>& phases_;
  const std::vector<bool>& over_batch_;
  std::vector<int> cluster_of_;  // −1: alone
  std::vector<std::vector<NodeId>> clusters_;
  std::vector<int> marks_;  // of a search
  int mark_ = 0;
};

/// Divides all nodes among kernels: tuned ones first, elementwise chains in one sweep, then each operation by itself.
/// `tuned` false: each operation by itself only (the graph runs as it is written; for comparison).
std::vector<std::unique_ptr<PlannedKernel>> fuse(const Graph& graph, const std::vector<int>& phases,
                                                 const std::vector<bool>& over_batch, bool tuned);

/// The one kernel that reads a value, and as which of its inputs.
struct OnlyReader {
  PlannedKernel* kernel = nullptr;  // null if there are several, or if the graph gives the value out
  std::size_t input = 0;
};
OnlyReader only_reader(const Graph& graph, const std::vector<std::unique_ptr<PlannedKernel>>& kernels, NodeId value);

/// One line a kernel: `conv2d+bias+relu+max_pool : %7 … -> %12, %13`.
std::string print_kernels(const Graph& graph, const std::vector<std::unique_ptr<PlannedKernel>>& kernels);

}  // namespace chalk
