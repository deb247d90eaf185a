#include "src/base/power.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chalk {

double power(double base, std::int64_t exponent) {
  double product = 1;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) product *= base;
    base *= base;
  }
  return product;
}

double real_power(double base, double exponent) {
  const auto whole = whole_part(exponent);
  double product = power(base, whole), root = base;
  // Of the fraction, in binary, each digit is a factor: base^½, base^¼, …; square roots are exact to the last bit.
  for (double rest = exponent - static_cast<double>(whole); rest > 0 && rest < 1;) {
    root = std::sqrt(root);
    rest *= 2;
    if (rest < 1) continue;
    product *= root;
    rest -= 1;
  }
  return product;
}

double cos_pi(double x) {
  if (x > 0.5) return -cos_pi(1 - x);
  const double z = std::numbers::pi * x * std::numbers::pi * x;
  double sum = 0;  // of the series, from its end
  for (int k = 24; k > 0; k -= 2) sum = -z / (k * (k - 1)) * (1 + sum);
  return 1 + sum;
}

std::int64_t whole_part(double x) {
  constexpr double kMost = 9e18;
  return static_cast<std::int64_t>(std::min(x, kMost));
}

}  // namespace chalk
