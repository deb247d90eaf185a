#include "src/kernels/noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/base/random.h"
#include "src/kernels/conv_testing.h"

namespace chalk {
namespace {

NoiseStream stream_at(std::uint64_t position, std::uint64_t seed = 7, std::string_view name = "noise") {
  NoiseStream stream(seed, name);
  stream.position = position;
  return stream;
}

std::vector<float> row_of(const NoiseStream& stream, std::uint32_t row, std::size_t count) {
  std::vector<float> values(count);
  noise_one(stream, row, count, values.data());
  return values;
}

TEST(Noise, IsWhatItsDefinitionSays) {
  const auto stream = stream_at(0x500000006, 0x100000002);
  const std::uint64_t name = hash_name("noise");
  const auto key = philox({static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(name >> 32), 0, 0}, {2, 1});
  const auto values = row_of(stream, 9, 11);
  for (std::uint32_t i = 0; i < 11; ++i) {
    const auto word = philox({i / 4, 9, 6, 5}, {key[0], key[1]})[i % 4];
    EXPECT_EQ(static_cast<double>(values[i]), (word >> 8) / 16777216.0) << i;
  }
}

TEST(Noise, InLanesIsThatOfEachRowOnEveryInstructionSet) {
  const auto stream = stream_at(3);
  std::uint32_t rows[16];
  for (std::uint32_t n = 0; n < 16; ++n) rows[n] = n < 13 ? n * n * 1000003 : rows[12];  // 13 samples
  for (const std::size_t count : {1, 3, 4, 17, 98}) {
    on_every_target([&] {
      const Guarded to(count * 16);
      noise_lanes(stream, rows, count, to.data());
      EXPECT_TRUE(to.intact());
      for (std::size_t n = 0; n < 16; ++n) {
        const auto alone = row_of(stream, rows[n], count);
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(to.span()[i * 16 + n], alone[i]) << n << " " << i;
      }
    });
  }
}

double mean_product(std::span<const float> a, std::span<const float> b) {  // of deviations, in units of the variance
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - 0.5) * (b[i] - 0.5) * 12;
  return sum / static_cast<double>(a.size());
}

TEST(Noise, IsUniform) {
  constexpr std::size_t kRows = 200, kCount = 500, kBins = 20;
  std::size_t bins[kBins] = {};
  double sum = 0;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    for (const float u : row_of(stream_at(1), row, kCount)) {
      ASSERT_TRUE(u >= 0 && u < 1) << u;
      ++bins[static_cast<std::size_t>(u * kBins)];
      sum += static_cast<double>(u);
    }
  }
  constexpr double kDraws = kRows * kCount, kExpected = kDraws / kBins;
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1 / 12.0 / kDraws));
  double chi = 0;
  for (const auto n : bins)
    chi += (static_cast<double>(n) - kExpected) * (static_cast<double>(n) - kExpected) / kExpected;
  EXPECT_LT(chi, 43.8);  // the 99.9 % point of χ² with 19 degrees of freedom
}

TEST(Noise, OfAnotherRowPositionSeedOrNameIsIndependent) {
  constexpr std::size_t kCount = 20000;
  const auto base = row_of(stream_at(1), 5, kCount);
  const double error = 5 / std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(mean_product(base, base), 1, error);
  const std::span<const float> all(base);
  EXPECT_NEAR(mean_product(all.first(kCount - 1), all.subspan(1)), 0, error) << "neighbours";
  EXPECT_NEAR(mean_product(base, row_of(stream_at(1), 6, kCount)), 0, error) << "row";
  EXPECT_NEAR(mean_product(base, row_of(stream_at(2), 5, kCount)), 0, error) << "position";
  EXPECT_NEAR(mean_product(base, row_of(stream_at(1 + (std::uint64_t{1} << 32)), 5, kCount)), 0, error) << "position";
  EXPECT_NEAR(mean_product(base, row_of(stream_at(1, 8), 5, kCount)), 0, error) << "seed";
  EXPECT_NEAR(mean_product(base, row_of(stream_at(1, 7, "other"), 5, kCount)), 0, error) << "name";
}

}  // namespace
}  // namespace chalk
