#include "src/plan/memory.h"

#include <algorithm>
#include <numeric>

#include "src/base/sanitizer.h"
#if CHALK_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace chalk {
namespace {

constexpr std::size_t round_up(std::size_t n) { return (n + 15) / 16 * 16; }

#if CHALK_ASAN
constexpr std::size_t kRedZone = 64;  // floats
#else
constexpr std::size_t kRedZone = 0;
#endif

}  // namespace

std::size_t book(std::vector<Lifetime>& lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return lifetimes[a].size > lifetimes[b].size; });
  std::vector<std::size_t> placed;  // by offset
  std::size_t total = 0;
  for (const auto id : order) {
    Lifetime& value = lifetimes[id];
    std::size_t offset = 0;
    for (const auto other_id : placed) {
      const Lifetime& other = lifetimes[other_id];
      const bool together = kRedZone > 0 || (value.first <= other.last && other.first <= value.last);
      if (!together) continue;
      if (offset + round_up(value.size) + kRedZone <= other.offset) break;
      offset = std::max(offset, other.offset + round_up(other.size) + kRedZone);
    }
    value.offset = offset;
    total = std::max(total, offset + round_up(value.size) + kRedZone);
    const auto at = std::find_if(placed.begin(), placed.end(), [&](auto p) { return lifetimes[p].offset > offset; });
    placed.insert(at, id);
  }
  return total;
}

void guard_red_zones([[maybe_unused]] const float* arena, [[maybe_unused]] const std::vector<Lifetime>& lifetimes) {
#if CHALK_ASAN
  for (const auto& value : lifetimes) {
    ASAN_POISON_MEMORY_REGION(arena + value.offset + round_up(value.size), kRedZone * sizeof(float));
  }
#endif
}

}  // namespace chalk
