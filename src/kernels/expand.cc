#include "src/kernels/expand.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace chalk {

std::vector<std::uint32_t> broadcast_places(const Shape& from, const Shape& to) {
  const auto rank = to.size();
  std::vector<std::int64_t> strides(rank, 0);
  std::int64_t step = 1;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    strides[rank - i] = from[from.size() - i] == 1 ? 0 : step;
    step *= from[from.size() - i];
  }
  std::vector<std::uint32_t> places(static_cast<std::size_t>(elements(to)));
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t at = 0, rest = static_cast<std::int64_t>(i);
    for (auto d = rank; d-- > 0; rest /= to[d]) at += rest % to[d] * strides[d];
    places[i] = static_cast<std::uint32_t>(at);
  }
  return places;
}

void expand_places(const float* from, bool shared, const std::uint32_t* places, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) {
    if (shared) {
      std::fill(to + i * 16, to + i * 16 + 16, from[places[i]]);
    } else {
      std::memcpy(to + i * 16, from + std::size_t{places[i]} * 16, 16 * sizeof(float));
    }
  }
}

void pick_places(const float* from, const std::vector<std::uint32_t>& places, std::size_t run, std::size_t first,
                 std::size_t count, float* to) {
  if (run < 8) {
    for (std::size_t i = 0; i < count; ++i) to[i] = from[places[first + i]];
    return;
  }
  for (std::size_t i = 0, next = 0; i < count; i = next) {
    next = std::min(count, i + run - (first + i) % run);
    std::fill(to + i, to + next, from[places[first + i]]);
  }
}

std::size_t run_of(const std::vector<std::uint32_t>& places) {
  std::size_t run = 0, shortest = places.size();
  for (std::size_t i = 0; i < places.size(); ++i) {
    run = i > 0 && places[i] == places[i - 1] ? run + 1 : 1;
    if (i + 1 == places.size() || places[i + 1] != places[i]) shortest = std::gcd(shortest, run);
  }
  return shortest;
}

}  // namespace chalk
