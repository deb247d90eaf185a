// The order in which a sweep's operations follow each other in chains (src/kernels/chain.h), so that few values leave
// the registers.
#pragma once

#include <vector>

#include "src/plan/sweep_plan.h"

namespace chalk {

/// How a value is read.
struct ChainValue {
  bool same = false;                // for all places
  Prefetch fetch = Prefetch::none;  // if it is read where it is
  bool repeated = false;  // found by make_stages(): the same for all places, but wanted by an operation without a link
};

/// The stages that do these operations and sums; `values`: of all values of the sweep; `written`: how far away outputs
/// are.
std::vector<SweepPlan::Stage> make_stages(const std::vector<SweepPlan::Operation>& operations,
                                          const std::vector<SweepPlan::ChannelSum>& sums,
                                          std::vector<ChainValue>& values, Prefetch written);

}  // namespace chalk
