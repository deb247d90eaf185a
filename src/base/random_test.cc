#include "src/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace chalk {
namespace {

TEST(Philox, GivesThePublishedNumbers) {  // known-answer vectors of Random123, kat_vectors: philox4x32 10
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, DependsOnSeedStreamAndPositionAlone) {
  Random a(1, 2), b(1, 2), other_seed(2, 2), other_stream(1, 3), further(1, 2, 1);
  const auto first = a.bits();
  EXPECT_EQ(first, b.bits());
  EXPECT_NE(first, other_seed.bits());
  EXPECT_NE(first, other_stream.bits());
  for (int i = 1; i < 4; ++i) a.bits();
  EXPECT_EQ(a.bits(), further.bits());
}

TEST(Random, BelowIsUniform) {
  Random random(7, 0);
  constexpr int kDraws = 60000, kSides = 6;
  int count[kSides] = {};
  for (int i = 0; i < kDraws; ++i) ++count[random.below(kSides)];
  double chi = 0;
  for (const int c : count) chi += (c - kDraws / kSides) * (c - kDraws / kSides) / (1.0 * kDraws / kSides);
  EXPECT_LT(chi, 20.5);  // the 99.9 % point of χ² with 5 degrees of freedom
}

TEST(Random, NormalHasItsMoments) {
  Random random(7, 1);
  constexpr int kDraws = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double z = random.normal();
    sum += z, squares += z * z, fourth += z * z * z * z;
  }
  const double error = 5 / std::sqrt(kDraws);  // five standard deviations of the mean of a unit variance
  EXPECT_NEAR(sum / kDraws, 0, error);
  EXPECT_NEAR(squares / kDraws, 1, error * std::sqrt(2));
  EXPECT_NEAR(fourth / kDraws, 3, error * std::sqrt(96));
}

TEST(Random, NormalsAreTheSameOneByOne) {
  Random one(7, 1), many(7, 1);
  std::vector<double> values(300);
  many.normal(values);
  for (const double value : values) EXPECT_EQ(value, one.normal());
}

}  // namespace
}  // namespace chalk
