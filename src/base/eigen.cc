#include "src/base/eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace chalk {
namespace {

constexpr double kNothing = 1e-17;  // of the matrix' norm: elements beside the diagonal that are left as they are
constexpr int kMostSweeps = 64;     // some ten are enough: they converge quadratically

double norm_of(const std::vector<double>& matrix) {
  double squares = 0;
  for (const double x : matrix) squares += x * x;
  return std::sqrt(squares);
}

/// Rotates two vectors whose elements are `step` apart in the plane that they span.
void rotate(double* a, double* b, std::size_t size, std::size_t step, double cosine, double sine) {
  for (std::size_t i = 0; i < size * step; i += step) {
    const double x = a[i], y = b[i];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

/// One sweep over all pairs. Whether there was anything left to rotate.
bool sweep(std::vector<double>& a, std::vector<double>& vectors, std::size_t n, double nothing) {
  bool rotated = false;
  for (std::size_t p = 0; p + 1 < n; ++p) {
    for (std::size_t q = p + 1; q < n; ++q) {
      const double beside = a[p * n + q];
      if (std::abs(beside) <= nothing) continue;
      rotated = true;
      const double theta = (a[q * n + q] - a[p * n + p]) / (2 * beside);
      const double size = 1 / (std::abs(theta) + std::sqrt(theta * theta + 1)), tangent = theta < 0 ? -size : size;
      const double cosine = 1 / std::sqrt(tangent * tangent + 1), sine = tangent * cosine;
      rotate(&a[p], &a[q], n, n, cosine, sine);
      rotate(&a[p * n], &a[q * n], n, 1, cosine, sine);
      a[p * n + q] = a[q * n + p] = 0;
      rotate(&vectors[p * n], &vectors[q * n], n, 1, cosine, sine);
    }
  }
  return rotated;
}

}  // namespace

Eigen symmetric_eigen(std::vector<double> matrix, std::size_t size) {
  const double norm = norm_of(matrix);
  if (matrix.size() != size * size || !std::isfinite(norm))
    throw std::logic_error("symmetric_eigen: not a square matrix of finite numbers");
  std::vector<double> vectors(size * size);
  for (std::size_t i = 0; i < size; ++i) vectors[i * size + i] = 1;
  int sweeps = 0;
  while (sweep(matrix, vectors, size, kNothing * norm)) {
    if (++sweeps == kMostSweeps) throw std::logic_error("symmetric_eigen: does not converge");
  }
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return matrix[i * size + i]; });
  Eigen eigen;
  for (const std::size_t i : order) {
    const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(i * size),
               end = begin + static_cast<std::ptrdiff_t>(size);
    const auto largest = std::max_element(begin, end, [](double x, double y) { return std::abs(x) < std::abs(y); });
    const double sign = *largest < 0 ? -1 : 1;
    eigen.values.push_back(matrix[i * size + i]);
    std::transform(begin, end, std::back_inserter(eigen.vectors), [&](double x) { return sign * x; });
  }
  return eigen;
}

}  // namespace chalk
