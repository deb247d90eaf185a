// Sums of lane groups.
#pragma once

#include <cstddef>

namespace chalk {

/// total[l] += x[0][l], then x[1][l], … of `count` lane groups.
void add_groups(const float* x, std::size_t count, float* total);

}  // namespace chalk
