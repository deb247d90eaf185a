// In which phase of a run each node has its turn (phases: see plan.h).
#pragma once

#include "chalkgrad/graph.h"
#include "src/ir/per_node.h"

namespace chalk {

struct PhasedGraph {
  Graph graph;
  PerNode<int> phase;        // of each node; the result of a batch_sum is known one phase later
  PerNode<bool> over_batch;  // takes the batched values of the phases before for all samples at once (see plan.h)
};

/// `tuned`: dense layers with many weights run over the whole batch, as do the gradients of all dense layers' weights.
/// And cheap elementwise values that are also needed in later phases are recomputed there, if that reads at most
/// two values of their size, rather than kept for the whole batch.
PhasedGraph find_phases(const Graph& graph, bool tuned);

}  // namespace chalk
