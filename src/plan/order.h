// The order in which kernels run, and their phases (see plan.h).
#pragma once

#include <vector>

#include "src/ir/per_node.h"
#include "src/plan/kernel.h"

namespace chalk {

/// Puts kernels in an order in which each follows what it reads, otherwise that of the graph.
void order_kernels(const Graph& graph, KernelList& kernels);

struct KernelPhases {
  std::vector<int> kernel;  // in which each runs
  PerNode<int> value;       // from which on a value is there
  int count = 1;
  int last() const { return count - 1; }
};

/// Kernels must be in order.
KernelPhases assign_phases(const Graph& graph, const KernelList& kernels);

}  // namespace chalk
