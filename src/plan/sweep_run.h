// Runs what src/plan/sweep_plan.h has planned.
#pragma once

#include <cstddef>

#include "src/plan/sweep_plan.h"

namespace chalk {

/// Floats of scratch memory that a run takes.
std::size_t sweep_scratch(const SweepPlan& plan);

/// Places `first` to `last`, that one not included, of each channel; `part`: what the operand that is a part begins
/// with at place `first`.
void run_sweep(const SweepPlan& plan, const KernelRun& call, std::size_t first, std::size_t last,
               const float* part = nullptr);

/// All places, for a single sample.
void run_sweep_one(const SweepPlan& plan, const KernelRun& call);

}  // namespace chalk
