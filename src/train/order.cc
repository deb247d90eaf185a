#include "src/train/order.h"

#include <numeric>
#include <utility>

#include "src/base/random.h"

namespace chalk {

void shuffle(std::vector<std::uint32_t>& order, std::uint64_t seed, std::int64_t epoch) {
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed, hash_name("shuffle"), static_cast<std::uint64_t>(epoch) << 40);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
}

}  // namespace chalk
