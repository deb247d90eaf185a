#include "src/base/shortest.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

namespace chalk {
namespace {

std::string by_the_standard(double value) {
  std::array<char, 400> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

TEST(Shortest, IsWhatTheStandardLibrarySays) {
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.0,
                             -0.0,
                             0.1,
                             -2.5,
                             1e4,
                             1e5,
                             123456.0,
                             1e20,
                             1e21,
                             1e22,
                             1e23,
                             9007199254740993.0,
                             5e-324,
                             1e-4,
                             0.00012,
                             1e-5,
                             1.0 / 3,
                             2e15,
                             1234567890123456789.0,
                             Limits::max(),
                             Limits::min(),
                             Limits::infinity(),
                             -Limits::infinity()}) {
    EXPECT_EQ(shortest(value), by_the_standard(value));
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto any = std::bit_cast<double>(random());
    if (!std::isnan(any)) {
      ASSERT_EQ(shortest(any), by_the_standard(any));
    }
    const double usual =
        std::round(static_cast<double>(random() >> 44U)) * std::pow(10, static_cast<int>(random() % 24) - 12);
    ASSERT_EQ(shortest(usual), by_the_standard(usual));
    const double large = std::ldexp(static_cast<double>(random() >> 11U), static_cast<int>(random() % 30));
    ASSERT_EQ(shortest(large), by_the_standard(large));
  }
}

}  // namespace
}  // namespace chalk
