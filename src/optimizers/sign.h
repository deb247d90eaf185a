// The sign of a value, element by element: Lion's step, and what an L1 penalty adds to a gradient.
#pragma once

#include "chalkgrad/ops.h"

namespace chalk {

/// 1 where x > 0, −1 where x < 0, x where it is 0; NaN where it is NaN or infinite, so that a number that is no longer
/// one is noticed.
inline Value sign(Value x) { return select(x, x / abs(x), x); }

}  // namespace chalk
