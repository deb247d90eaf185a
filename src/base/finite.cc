#include "src/base/finite.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace chalk {
namespace {

/// All ones in the exponent: compared as whole numbers, in a loop without a branch, which the compiler vectorises.
std::uint32_t is_not_finite(float value) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  return (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1 : 0;
}

}  // namespace

std::size_t first_not_finite(std::span<const float> values) {
  std::uint32_t any = 0;
  for (const float value : values) any |= is_not_finite(value);
  if (any == 0) return values.size();
  return static_cast<std::size_t>(std::ranges::find_if(values, is_not_finite) - values.begin());
}

}  // namespace chalk
