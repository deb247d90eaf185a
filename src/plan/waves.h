// Waves: work on shared values, phase by phase; what is in one wave does not depend on each other (see plan.h).
#pragma once

#include <vector>

#include "src/ir/per_node.h"
#include "src/plan/order.h"

namespace chalk {

struct Waves {
  static constexpr int kNone = -1;
  std::vector<int> kernel;  // in which each runs; none if it runs for each microbatch
  PerNode<int> value;       // after which a shared value is known; none: before its phase

  /// The wave of this phase after which a value, not a reshape, is known; none: before the phase.
  int after(const KernelPhases& phases, NodeId id, int phase) const {
    return phases.value[id] == phase ? value[id] : kNone;
  }
};

/// `folded`: sums over samples that are folded in a wave of their own. `packs`: whether a kernel's weights are packed,
/// which takes a wave before it.
Waves find_waves(const Graph& graph, const KernelList& kernels, const KernelPhases& phases, const PerNode<bool>& folded,
                 const std::vector<bool>& packs);

}  // namespace chalk
