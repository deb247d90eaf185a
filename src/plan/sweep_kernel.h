// A sweep (src/plan/sweep_plan.h) as a kernel.
#pragma once

#include <memory>

#include "src/plan/sweep_plan.h"

namespace chalk {

std::unique_ptr<PlannedKernel> make_sweep_kernel(SweepPlan plan);

}  // namespace chalk
