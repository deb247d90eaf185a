#include "src/schedules/curves.h"

#include <algorithm>
#include <numbers>

#include "src/base/power.h"

namespace chalk {
namespace {

/// cos πx for 0 <= x <= 1 by its series: C libraries differ in the last bit of theirs.
double cos_pi(double x) {
  if (x > 0.5) return -cos_pi(1 - x);
  const double z = std::numbers::pi * x * std::numbers::pi * x;
  double sum = 0;
  for (int k = 24; k > 0; k -= 2) sum = -z / (k * (k - 1)) * (1 + sum);
  return 1 + sum;
}

}  // namespace

double falling_wave(double x) { return 0.5 * (1 + cos_pi(std::clamp(x, 0.0, 1.0))); }

double whole_power(double base, std::int64_t exponent) {
  constexpr std::int64_t kLoop = 1'000'000;  // up to here in the order that earlier programs multiplied in
  if (exponent > kLoop) return power(base, exponent);
  double product = 1;
  for (std::int64_t i = 0; i < exponent && product > 1e-300; ++i) product *= base;
  return product;
}

}  // namespace chalk
