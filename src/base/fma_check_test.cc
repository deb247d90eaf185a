// A multiply-add that rounds twice is noticed.
#include "src/base/fma_check.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "src/base/fma.h"
#include "src/base/random.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

template <class F>
void sixteen(const float* a, const float* b, const float* c, float* to, F f) {
  for (int i = 0; i < 16; ++i) to[i] = f(a[i], b[i], c[i]);
}

/// As Highway's MulAdd on SSE4 and WebAssembly.
void product_is_rounded(const float* a, const float* b, const float* c, float* to) {
  sixteen(a, b, c, to, [](float x, float y, float z) {
    const volatile float product = x * y;
    return product + z;
  });
}
/// As an fmaf that adds in double.
void sum_is_rounded_to_double(const float* a, const float* b, const float* c, float* to) {
  sixteen(a, b, c, to, [](float x, float y, float z) {
    return static_cast<float>(static_cast<double>(x) * static_cast<double>(y) + static_cast<double>(z));
  });
}
/// As musl's fmaf, which sees ties of normal numbers only.
void subnormal_is_rounded_to_double(const float* a, const float* b, const float* c, float* to) {
  sixteen(a, b, c, to, [](float x, float y, float z) {
    const float right = exact_fma(x, y, z);
    if (std::fpclassify(right) != FP_SUBNORMAL) return right;
    return static_cast<float>(static_cast<double>(x) * static_cast<double>(y) + static_cast<double>(z));
  });
}
void subnormal_is_flushed(const float* a, const float* b, const float* c, float* to) {
  sixteen(a, b, c, to, [](float x, float y, float z) {
    const float right = exact_fma(x, y, z);
    return std::fpclassify(right) == FP_SUBNORMAL ? std::copysign(0.0F, right) : right;
  });
}
/// In the last lane alone.
void last_lane_is_wrong(const float* a, const float* b, const float* c, float* to) {
  sixteen(a, b, c, to, exact_fma);
  product_is_rounded(a, b, c, to);
  for (int i = 0; i < 15; ++i) to[i] = exact_fma(a[i], b[i], c[i]);
}

TEST(MultiplyAdd, RoundsOnceOnEveryInstructionSetOfThisMachine) {
  for (const auto target : targets()) {
    EXPECT_TRUE(rounds_once(multiply_add_of_lanes(target))) << target_name(target);
    EXPECT_TRUE(rounds_once(multiply_add_of_floats(target))) << target_name(target);
  }
}

TEST(MultiplyAdd, ThatRoundsTwiceIsNoticed) {
  for (const auto wrong : {product_is_rounded, sum_is_rounded_to_double, subnormal_is_rounded_to_double,
                           subnormal_is_flushed, last_lane_is_wrong}) {
    EXPECT_FALSE(rounds_once(wrong));
    try {
      check_multiply_add(Target::avx2, wrong);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "multiply-adds of avx2 round twice here, so that results would not be the same bits as elsewhere; "
                   "use other instructions, with CHALKGRAD_TARGET=portable in the environment");
    }
  }
}

std::uint32_t bits(float x) { return std::isnan(x) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(x); }

/// glibc's fmaf is exact.
TEST(ExactFma, IsExactForNumbersOfAnySize) {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> special{0.0F,           -0.0F,      1.0F,           -1.0F,           kInf,           -kInf,
                             kNaN,           1e-45F,     -1e-45F,        1.17549435e-38F, 1.1754942e-38F, 3.4028235e38F,
                             -3.4028235e38F, 0x1.001p0F, 0x1.ffe002p-7F, 0x1p-130F};
  for (const float a : special) {
    for (const float b : special) {
      for (const float c : special)
        ASSERT_EQ(bits(exact_fma(a, b, c)), bits(std::fma(a, b, c))) << a << " " << b << " " << c;
    }
  }
  Random random(7, 1);
  const auto any = [&] { return std::bit_cast<float>(random.bits()); };
  const auto near = [&](double x, std::uint32_t range) {  // so that sums cancel, or meet at the edge of precision
    const int exponent = std::isfinite(x) && x != 0 ? std::ilogb(x) : 0;
    const int away = static_cast<int>(random.below(2 * range)) - static_cast<int>(range);
    return static_cast<float>(std::ldexp(1 + random.uniform(), exponent + away));
  };
  for (int i = 0; i < 300000; ++i) {
    const float a = any(), b = i % 3 == 0 ? any() : near(1 / static_cast<double>(a), i % 3 == 1 ? 20 : 150);
    const float c = (i % 2 == 0 ? -1.0F : 1.0F) * near(static_cast<double>(a) * static_cast<double>(b), 30);
    ASSERT_EQ(bits(exact_fma(a, b, c)), bits(std::fma(a, b, c))) << a << " " << b << " " << c;
  }
}

}  // namespace
}  // namespace chalk
