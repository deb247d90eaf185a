#include "src/base/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace chalk {
namespace {

TEST(FirstNotFinite, IsFoundAtEveryPlace) {
  using Limits = std::numeric_limits<float>;
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<float> values(size, Limits::max());
    if (size > 1) values[1] = -Limits::denorm_min();
    EXPECT_EQ(first_not_finite(values), size);
    for (std::size_t at = 0; at < size; ++at) {
      for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), -Limits::signaling_NaN()}) {
        auto spoilt = values;
        spoilt[at] = spoilt[size - 1] = bad;
        EXPECT_EQ(first_not_finite(spoilt), at) << size;
      }
    }
  }
}

}  // namespace
}  // namespace chalk
