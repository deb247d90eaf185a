// Divides the nodes of a graph among kernels.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/ir/per_node.h"
#include "src/plan/kernel.h"
#include "src/plan/phases.h"

namespace chalk {

/// What makes this value: a reshape is no work, its value is its input's.
NodeId source_of(const Graph& graph, NodeId id);

/// The graph while its nodes are being divided among kernels. Nodes that are to run as one step are a cluster.
class Fusion {
 public:
  explicit Fusion(const PhasedGraph& phased);

  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Shape& shape(NodeId id) const { return node(id).type.shape; }
  bool batched(NodeId id) const { return node(id).type.batched; }
  const std::vector<NodeId>& users(NodeId id) const { return users_[id]; }
  /// An output of the graph or an update.
  bool is_needed_outside(NodeId id) const { return needed_outside_[id]; }
  /// The only user of a value that nothing else needs and that runs in the same phase, or −1.
  NodeId only_user(NodeId id) const;
  /// By a kernel, or because nothing needs it.
  bool claimed(NodeId id) const { return claimed_[id]; }
  /// In which a node is to run; see plan.h.
  int phase(NodeId id) const { return phased_.phase[id]; }
  bool over_batch(NodeId id) const { return phased_.over_batch[id]; }

  KernelList kernels;

  /// Adds a kernel and claims its nodes; a cluster may not close a circle (true if added).
  bool claim(std::unique_ptr<PlannedKernel> kernel);
  /// The nodes, which run in one phase, become one cluster, with all of the clusters that some of them are in; but not
  /// if that closes a circle: if one of them needs a value made elsewhere from what another makes (true if joined).
  bool join(std::span<const NodeId> nodes);

 private:
  bool needs_itself(const std::vector<NodeId>& cluster);

  const PhasedGraph& phased_;
  const Graph& graph_;
  PerNode<std::vector<NodeId>> users_;  // that are needed themselves
  PerNode<bool> needed_outside_, claimed_;
  PerNode<int> cluster_of_;  // −1: alone
  std::vector<std::vector<NodeId>> clusters_;
  PerNode<int> marks_;  // of a search
  int mark_ = 0;
};

/// Divides all nodes among kernels: tuned ones first, elementwise chains in one sweep, then each operation by itself.
/// `tuned` false: each operation alone (the graph runs as it is written; for comparison).
KernelList fuse(const PhasedGraph& phased, bool tuned);

/// Which kernels read a value, and as which of their inputs: of each value that some kernel reads and that is not made
/// by a reshape.
struct Reader {
  std::size_t kernel, input;
};
PerNode<std::vector<Reader>> find_readers(const Graph& graph, const KernelList& kernels);

/// Values that the graph gives out, as outputs or updates.
PerNode<bool> find_needed_outside(const Graph& graph);

}  // namespace chalk
