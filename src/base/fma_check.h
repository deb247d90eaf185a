// Whether multiply-adds round once, as everything about equal bits supposes.
#pragma once

#include "src/base/target.h"

namespace chalk {

/// to[i] = a[i]·b[i] + c[i] for sixteen numbers.
using MultiplyAdd = void (*)(const float* a, const float* b, const float* c, float* to);

/// Those of kernels on this instruction set: on lanes, and on single floats.
MultiplyAdd multiply_add_of_lanes(Target target);
MultiplyAdd multiply_add_of_floats(Target target);

/// Tries sums that come out otherwise if the product is rounded before it is added, if the sum is rounded to double
/// before it is rounded to float, and if subnormals are flushed to zero.
bool rounds_once(MultiplyAdd f);

/// Throws Error if a multiply-add of this instruction set does not.
void check_multiply_add(Target target, MultiplyAdd f);

}  // namespace chalk
