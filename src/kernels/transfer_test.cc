// Samples in and out of lanes, and the folds of lanes and slots, against plain loops on every instruction set.
#include "src/kernels/transfer.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

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

RC_GTEST_PROP(Transfer, ScalesChannelsWithOneRounding, ()) {
  const std::size_t channels = any_size(9), width = any_size(40);
  std::mt19937 random(4);
  const Guarded from(channels * width, random), scale(channels, random), shift(channels, random);
  std::vector<float> expected;
  for (std::size_t i = 0; i < channels * width; ++i)
    expected.push_back(std::fma(from.span()[i], scale.span()[i / width], shift.span()[i / width]));
  on_every_target([&] {
    const Guarded to(expected.size());
    std::copy_n(from.data(), expected.size(), to.data());
    scale_channels(channels, width, scale.data(), shift.data(), to.data());
    EXPECT_TRUE(to.intact());
    expect_same_bits(to.span(), expected, "to");
  });
}

/// By the definition: mean and deviation in double, of all elements of the row; and how far a float may be from that,
/// where two numbers that are `mean / deviation` cancel.
template <class T>
std::pair<std::vector<double>, double> standardised(const T* row, std::size_t count) {
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) mean += static_cast<double>(row[i]) / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) squares += std::pow(static_cast<double>(row[i]) - mean, 2);
  const double deviation = std::sqrt(squares / static_cast<double>(count));
  const double by = deviation > 1e-12 ? deviation : 1;
  std::vector<double> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back((static_cast<double>(row[i]) - mean) / by);
  return {all, 3e-7 * (8 + std::abs(mean) / by)};
}

template <class T>
void expect_standardised(const std::vector<T>& from, std::size_t count, LaneRows rows) {
  std::vector<float> first;
  on_every_target([&] {
    const Guarded to(count * 16), one(count);
    for (std::size_t i = 0; i < count * 16; ++i) to.data()[i] = static_cast<float>(from[rows[i % 16] * count + i / 16]);
    standardise_lanes(from.data(), count, rows, to.data());
    EXPECT_TRUE(to.intact());
    if (first.empty()) first.assign(to.span().begin(), to.span().end());
    expect_same_bits(to.span(), first, "on another target");
    for (std::size_t n = 0; n < 16; ++n) {
      const T* row = &from[rows[n] * count];
      std::copy_n(row, count, one.data());
      standardise_one(row, count, one.data());
      const auto [expected, tolerance] = standardised(row, count);
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(one.span()[i], to.span()[i * 16 + n]) << "alone, and in lane " << n;
        EXPECT_NEAR(static_cast<double>(one.span()[i]), expected[i], tolerance);
      }
    }
    EXPECT_TRUE(one.intact());
  });
}

RC_GTEST_PROP(Transfer, StandardisesEachRowByItself, ()) {
  const std::size_t count = any_size(70);
  const Rows rows;
  std::mt19937 random(5);
  std::vector<std::uint8_t> bytes(kSamples * count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(rows.rows[3] * count), count, std::uint8_t{7});
  expect_standardised(bytes, count, rows.rows);
  const Guarded values(kSamples * count, random);
  expect_standardised(std::vector<float>(values.span().begin(), values.span().end()), count, rows.rows);
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
