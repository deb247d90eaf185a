// The order in which an epoch takes the samples.
#pragma once

#include <cstdint>
#include <vector>

namespace chalk {

/// Makes `order` a permutation of 0 … size − 1 that seed and epoch alone decide (Fisher–Yates).
void shuffle(std::vector<std::uint32_t>& order, std::uint64_t seed, std::int64_t epoch);

}  // namespace chalk
