// a·b + c with one rounding, for processors without an instruction for it.
#pragma once

#include <bit>
#include <cfloat>
#include <cstdint>

namespace chalk {

static_assert(FLT_EVAL_METHOD == 0, "floats must be computed as floats: on x86, compile with -msse2 -mfpmath=sse");

/// Not libm's fmaf, which rounds twice in some libraries: in musl and WASI where the result is subnormal.
inline float exact_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);  // exact, whatever a and b are
  const double addend = static_cast<double>(c), sum = product + addend;
  const double back = sum - product;
  const double lost = (product - (sum - back)) + (addend - back);  // by rounding the sum (Knuth's TwoSum)
  // Rounded to odd instead, the sum keeps the memory of what was lost, and the rounding to float is the only one
  // (Boldo & Melquiond 2008). Comparisons with NaN, which is what infinite sums lose, are false.
  auto bits = std::bit_cast<std::uint64_t>(sum);
  if ((lost < 0 || lost > 0) && bits % 2 == 0) bits += (sum > 0) == (lost > 0) ? 1 : ~std::uint64_t{0};
  return static_cast<float>(std::bit_cast<double>(bits));
}

}  // namespace chalk
