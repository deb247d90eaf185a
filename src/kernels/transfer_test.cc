// Samples in and out of lanes, and the folds of lanes and slots, against plain loops on every instruction set.
#include "src/kernels/transfer.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <cmath>

#include "src/kernels/conv_testing.h"
#include "src/kernels/fold.h"

namespace chalk {
namespace {

constexpr std::size_t kSamples = 40;

std::size_t any_size(int most) { return static_cast<std::size_t>(*rc::gen::inRange(1, most)); }

struct Rows {
  Rows() {
    for (auto& row : rows) row = *rc::gen::inRange<std::uint32_t>(0, kSamples);
  }
  std::uint32_t rows[16];
};

RC_GTEST_PROP(Transfer, GathersValuesOfRows, ()) {
  const std::size_t count = any_size(70);
  const Rows rows;
  std::mt19937 random(1);
  const Guarded from(kSamples * count, random);
  std::vector<float> expected;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto row : rows.rows) expected.push_back(from.span()[row * count + i]);
  }
  on_every_target([&] {
    const Guarded to(count * 16);
    gather_values(from.data(), count, rows.rows, to.data());
    EXPECT_TRUE(to.intact());
    expect_same_bits(to.span(), expected, "to");
  });
}

RC_GTEST_PROP(Transfer, GathersBytesOfChannelsWithOneRounding, ()) {
  const bool vectors = *rc::gen::arbitrary<bool>();
  const std::size_t channels = any_size(vectors ? 60 : 4), plane = vectors ? 1 : any_size(40);
  const Rows rows;
  std::mt19937 random(2);
  std::vector<std::uint8_t> from(kSamples * channels * plane);
  for (auto& byte : from) byte = static_cast<std::uint8_t>(random());
  const Guarded scale(channels, random), shift(channels, random);
  std::vector<float> expected;
  for (std::size_t i = 0; i < channels * plane; ++i) {
    for (const auto row : rows.rows) {
      const auto byte = static_cast<float>(from[row * channels * plane + i]);
      expected.push_back(std::fma(byte, scale.span()[i / plane], shift.span()[i / plane]));
    }
  }
  on_every_target([&] {
    const Guarded to(expected.size());
    gather_bytes(from.data(), channels, plane, scale.data(), shift.data(), rows.rows, to.data());
    EXPECT_TRUE(to.intact());
    expect_same_bits(to.span(), expected, "to");
  });
}

RC_GTEST_PROP(Transfer, ScattersValidLanes, ()) {
  const std::size_t count = any_size(40);
  const int valid = *rc::gen::inRange(1, 17);
  std::mt19937 random(3);
  const Guarded from(count * 16, random), to(count * static_cast<std::size_t>(valid));
  scatter_values(from.data(), count, valid, to.data());
  EXPECT_TRUE(to.intact());
  for (std::size_t i = 0; i < to.span().size(); ++i) {
    EXPECT_EQ(to.span()[i], from.span()[i % count * 16 + i / count]);
  }
}

RC_GTEST_PROP(Transfer, FoldsLanesAsATree, ()) {
  const std::size_t count = any_size(40);
  const int valid = *rc::gen::inRange(1, 17);
  std::mt19937 random(4);
  const Guarded x(count * 16, random), start(count, random);
  for (std::size_t i = 0; i < count * 16; ++i) {
    if (static_cast<int>(i % 16) >= valid) x.span()[i] = NAN;  // a lane without a sample may hold anything
  }
  for (const bool accumulate : {false, true}) {
    std::vector<float> expected;
    for (std::size_t i = 0; i < count; ++i) {
      float t[16] = {};
      for (int n = 0; n < valid; ++n) t[n] = x.span()[i * 16 + static_cast<std::size_t>(n)];
      for (int half = 8; half > 0; half /= 2) {
        for (int n = 0; n < half; ++n) t[n] += t[n + half];
      }
      expected.push_back(accumulate ? start.span()[i] + t[0] : t[0]);
    }
    on_every_target([&] {
      const Guarded out(count);
      std::copy(start.span().begin(), start.span().end(), out.data());
      fold_lanes(x.data(), count, valid, accumulate, out.data());
      EXPECT_TRUE(out.intact());
      expect_same_bits(out.span(), expected, "out");
    });
  }
}

}  // namespace
}  // namespace chalk
