// What tests of losses at their edges share.
#pragma once

#include <vector>

namespace chalk {

/// 0, and on either side of where, in float, sigmoid(z) becomes 1, exp(z) infinite and exp(−z) 0.
inline const std::vector<double> kLogits{0, 16, -16, 17, -17, 88, -88, 104, -104, 1000, -1000};

}  // namespace chalk
