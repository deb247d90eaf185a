#include "src/base/power.h"

#include <gtest/gtest.h>

#include <cmath>

namespace chalk {
namespace {

TEST(Power, IsThatOfTheCLibraryButForRoundings) {
  for (const double base : {0.0, 0.5, 0.96, 0.999, 1.0, 1.25}) {
    for (const std::int64_t exponent : {0, 1, 2, 7, 100, 2345}) {
      const double expected = std::pow(base, static_cast<double>(exponent));
      EXPECT_NEAR(power(base, exponent), expected, 1e-12 * expected) << base << " " << exponent;
      EXPECT_EQ(real_power(base, static_cast<double>(exponent)), power(base, exponent));
    }
    for (const double exponent : {0.004, 0.3, 0.5, 2.75}) {
      EXPECT_NEAR(real_power(base, exponent), std::pow(base, exponent), 1e-14) << base << " " << exponent;
    }
  }
  EXPECT_EQ(power(0.9, std::int64_t{1} << 40), 0);
}

}  // namespace
}  // namespace chalk
