#include "src/schedules/curves.h"

#include <algorithm>

#include "src/base/power.h"

namespace chalk {

double falling_wave(double x) { return 0.5 * (1 + cos_pi(std::clamp(x, 0.0, 1.0))); }

double whole_power(double base, std::int64_t exponent) {
  constexpr std::int64_t kLoop = 1'000'000;  // up to here in the order that earlier programs multiplied in
  if (exponent > kLoop) return power(base, exponent);
  double product = 1;
  for (std::int64_t i = 0; i < exponent && product > 1e-300; ++i) product *= base;
  return product;
}

}  // namespace chalk
