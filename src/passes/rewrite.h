// Builds a new graph from an old one, value by value: what passes are written with.
//
//   Rewriter r(old);
//   for (NodeId id = 0; id < old.size(); ++id) r.map(id, r.append(r.translated(id)));   // a copy
//   return r.finish();
#pragma once

#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

class Rewriter {
 public:
  explicit Rewriter(const Graph& old);

  const Graph& old() const { return old_; }
  /// The graph being built.
  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }

  /// The new node for an old one.
  void map(NodeId old_id, NodeId new_id) { new_of_[static_cast<std::size_t>(old_id)] = new_id; }
  NodeId mapped(NodeId old_id) const;
  /// An old node as it would be in the new graph. Its inputs must have been mapped.
  Node translated(NodeId old_id) const;

  /// Appends a node as it is: its type is not inferred again.
  NodeId append(Node node);
  /// Removes and returns the nodes from `size` on, which must be unnamed.
  std::vector<Node> take_back(NodeId size);

  /// The new graph, with the old one's outputs and updates. Ends the rewriter's use.
  Graph finish();

 private:
  const Graph& old_;
  Graph graph_;
  std::vector<NodeId> new_of_;  // −1: not mapped
};

/// By id, whether a value is one of the graph's outputs or one that they are computed from.
std::vector<bool> needed_by_outputs(const Graph& graph);

/// The graph without the nodes that neither an output nor an update needs; inputs and parameters stay, but noise goes.
Graph without_dead_nodes(const Graph& graph);

}  // namespace chalk
