// Where batched values live: those of one microbatch in an arena, whose memory is shared by lifetime; those that a
// later phase, or a kernel over the batch, reads are kept for all microbatches.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "src/plan/plan.h"

namespace chalk {

/// Floats that a value takes: sixteen per element if it is batched, otherwise padded to sixteen.
std::size_t floats_of(const Type& type);

struct BatchedLocations {
  std::map<NodeId, Location> lanes;           // of each value that something reads
  std::map<NodeId, Location> rows;            // of those that a kernel reads transposed
  std::map<NodeId, std::vector<int>> gather;  // inputs: the phases in which they are gathered,
  std::map<NodeId, int> gather_rows;          // and the one in which their rows are
  std::map<NodeId, int> deliver;              // outputs: the phase after which they are delivered
  std::vector<Lifetime> arena_values, kept_values;
  std::size_t arena = 0, kept = 0;  // floats of a microbatch
};

/// `phases`: in which each kernel runs. Kernels are in the order in which they run.
BatchedLocations locate_batched(const Graph& graph, const KernelList& kernels, const std::vector<int>& phases);

}  // namespace chalk
