// In which phase of a run each node has its turn (phases: see plan.h).
#pragma once

#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

struct PhasedGraph {
  Graph graph;
  std::vector<int> phase;  // of each node; the result of a batch_sum is there one phase later
};

/// `recompute`: cheap elementwise values that are needed in later phases, too, are computed anew there, if that reads
/// at most two values of their size, rather than kept for the whole batch.
PhasedGraph find_phases(const Graph& graph, bool recompute);

}  // namespace chalk
