// Runs what src/plan/sweep_plan.h has planned.
#pragma once

#include <cstddef>

#include "src/base/share.h"
#include "src/plan/sweep_plan.h"

namespace chalk {

/// Floats of scratch memory that a run takes.
std::size_t sweep_scratch(const SweepPlan& plan);

/// Of a microbatch, some channels, or some places of each: what the call's share says.
void run_sweep(const SweepPlan& plan, const KernelRun& call);
/// Among how many threads that is worth dividing.
int sweep_shares(const SweepPlan& plan);

/// The same for a single sample.
void run_sweep_one(const SweepPlan& plan, const KernelRun& call);
int sweep_shares_one(const SweepPlan& plan);

/// Of shared values, these places; `part`: what the operand that is a part begins with at the first of them.
void run_shared_sweep(const SweepPlan& plan, const KernelRun& call, const Interval& places,
                      const float* part = nullptr);

}  // namespace chalk
