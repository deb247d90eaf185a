// Makers of tuned kernels: given a node, each claims it (and what can be done along with it) or leaves it.
#pragma once

#include "src/plan/fuse.h"

namespace chalk {

#define CHALK_TUNED(name) bool claim_##name(Fusion& fusion, NodeId id);
#include "src/plan/kernel_list.inc"
#undef CHALK_TUNED

/// Elementwise chains: claims all elementwise nodes, as few sweeps as their shapes and dependencies allow.
void claim_sweeps(Fusion& fusion);

/// A single operation.
void claim_single(Fusion& fusion, NodeId id);

}  // namespace chalk
