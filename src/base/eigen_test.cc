#include "src/base/eigen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "src/base/random.h"

namespace chalk {
namespace {

std::vector<double> symmetric(std::size_t size, std::uint64_t seed, double share_of_rank) {
  // B·Bᵀ of fewer columns than rows is singular.
  const auto columns = std::max<std::size_t>(1, static_cast<std::size_t>(share_of_rank * static_cast<double>(size)));
  Random random(seed, 0);
  std::vector<double> b(size * columns), a(size * size);
  random.normal(b);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      for (std::size_t k = 0; k < columns; ++k) a[i * size + j] += b[i * columns + k] * b[j * columns + k];
    }
  }
  return a;
}

TEST(SymmetricEigen, SolvesWhatCanBeSolvedByHand) {
  const auto eigen = symmetric_eigen({2, 1, 1, 2}, 2);
  const double half = std::sqrt(0.5);
  EXPECT_NEAR(eigen.values[0], 3, 1e-15);
  EXPECT_NEAR(eigen.values[1], 1, 1e-15);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(eigen.vectors[i], i == 3 ? -half : half, 1e-15) << i;
  EXPECT_EQ(symmetric_eigen({1, 0, 0, 0, 3, 0, 0, 0, 2}, 3).values, (std::vector<double>{3, 2, 1}));
  EXPECT_EQ(symmetric_eigen({5}, 1).vectors, std::vector<double>{1});
  EXPECT_EQ(symmetric_eigen(std::vector<double>(9), 3).values, std::vector<double>(3)) << "nothing at all";
}

TEST(SymmetricEigen, GivesOrthonormalVectorsThatTheMatrixStretches) {
  for (const std::size_t size : {2U, 5U, 12U, 27U, 75U}) {
    for (const double share : {2.0, 0.4}) {
      const auto a = symmetric(size, size, share);
      const auto [values, vectors] = symmetric_eigen(a, size);
      for (std::size_t i = 0; i < size; ++i) {
        EXPECT_LE(values[i], values[i > 0 ? i - 1 : 0]);
        for (std::size_t j = 0; j < size; ++j) {
          double product = 0, stretched = 0;
          for (std::size_t k = 0; k < size; ++k) {
            product += vectors[i * size + k] * vectors[j * size + k];
            stretched += a[j * size + k] * vectors[i * size + k];
          }
          EXPECT_NEAR(product, i == j ? 1 : 0, 1e-13);
          EXPECT_NEAR(stretched, values[i] * vectors[i * size + j], 1e-13 * values[0]) << size << " " << share;
        }
      }
      EXPECT_NEAR(values.back(), share < 1 ? 0 : values.back(), 1e-13 * values[0]);
    }
  }
}

TEST(SymmetricEigen, GivesTheseBits) {
  const auto [values, vectors] = symmetric_eigen(symmetric(6, 1, 2), 6);
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  EXPECT_EQ(bits(values[0]), 4629386654801126759U) << values[0];
  EXPECT_EQ(bits(values[5]), 4604550662466820411U) << values[5];
  EXPECT_EQ(bits(vectors[7]), 13821254521114769655U) << vectors[7];
}

TEST(SymmetricEigen, RefusesWhatIsNoSquareMatrixOfNumbers) {
  EXPECT_THROW(symmetric_eigen({1, 2}, 2), std::logic_error);
  EXPECT_THROW(symmetric_eigen({1, NAN, NAN, 1}, 2), std::logic_error);
}

}  // namespace
}  // namespace chalk
