// A value that is made in parts, and the sweep that alone reads it: the gradient of a dense layer's weights and an
// optimizer's update. Each part is made just before the sweep reads it, so that it never leaves the cache; or, if its
// maker can do the sweep's chain of links itself, never leaves the registers.
#pragma once

#include <cstddef>
#include <memory>

#include "src/plan/sweep_plan.h"

namespace chalk {

/// `input` of the sweep, which is read where it is, is what `maker` makes.
std::unique_ptr<PlannedKernel> make_update_kernel(SweepPlan sweep, std::size_t input,
                                                  std::unique_ptr<PlannedKernel> maker);

}  // namespace chalk
