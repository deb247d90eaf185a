#include "src/run/initialise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace chalk {
namespace {

constexpr double kCut = 2;  // standard deviations, where a truncated normal ends

void truncated_normal(Random& random, std::span<double> values) {
  std::vector<double> drawn;
  for (std::size_t done = 0; done < values.size();) {
    drawn.resize(values.size() - done);
    random.normal(drawn);
    for (const double x : drawn) {
      if (std::abs(x) <= kCut) values[done++] = x;
    }
  }
}

/// Σ a·b, in eight sums that fold in a fixed tree.
double dot(std::span<const double> a, std::span<const double> b) {
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (std::size_t k = 0; i < a.size(); ++i, ++k) sums[k] += a[i] * b[i];
  for (std::size_t half = sums.size() / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  }
  return sums[0];
}

/// Makes `count` vectors of `size` numbers, one after the other, orthonormal: Gram and Schmidt, each vector twice,
/// which is as good as rounding allows (Giraud et al. 2005). Of normal numbers, every direction is as likely as any
/// other.
void orthonormalise(std::span<double> all, std::size_t count, std::size_t size) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto v = all.subspan(i * size, size);
    for (int twice = 0; twice < 2; ++twice) {
      for (std::size_t j = 0; j < i; ++j) {
        const auto u = all.subspan(j * size, size);
        const double along = dot(u, v);
        for (std::size_t k = 0; k < size; ++k) v[k] -= along * u[k];
      }
    }
    const double length = std::sqrt(dot(v, v));
    for (auto& x : v) x /= length;
  }
}

/// The rows of a matrix, or its columns if they are fewer, orthonormal.
void orthogonal(Random& random, std::size_t rows, std::span<double> values) {
  const std::size_t columns = values.size() / rows;
  random.normal(values);
  if (rows <= columns) return orthonormalise(values, rows, columns);
  std::vector<double> across(values.begin(), values.end());  // the columns, one after the other
  orthonormalise(across, columns, rows);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) values[i * columns + j] = across[j * rows + i];
  }
}

/// Filter i: 1 in the middle of channel i; filters beyond the channels are drawn.
void dirac(const Shape& shape, double bound, Random& random, std::span<float> values) {
  const auto extent = [&](std::size_t axis) { return axis < shape.size() ? static_cast<std::size_t>(shape[axis]) : 1; };
  const std::size_t filters = extent(0), channels = extent(1), filter = values.size() / filters;
  std::size_t middle = 0;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) middle = middle * extent(axis) + extent(axis) / 2;
  std::ranges::fill(values, 0.0F);
  for (std::size_t i = 0; i < std::min(filters, channels); ++i)
    values[i * filter + i * (filter / channels) + middle] = 1;
  if (filters <= channels) return;
  initialise({Init::Kind::uniform, bound}, shape, random, values.subspan(channels * filter));
}

}  // namespace

void initialise(const Init& init, const Shape& shape, Random& random, std::span<float> values) {
  if (init.kind == Init::Kind::constant) {
    std::ranges::fill(values, static_cast<float>(init.value));
    return;
  }
  if (init.kind == Init::Kind::uniform) {
    for (auto& value : values) value = static_cast<float>((2 * random.uniform() - 1) * init.value);
    return;
  }
  if (init.kind == Init::Kind::dirac) return dirac(shape, init.value, random, values);
  std::vector<double> drawn(values.size());
  switch (init.kind) {
    case Init::Kind::truncated_normal:
      truncated_normal(random, drawn);
      break;
    case Init::Kind::orthogonal:
    case Init::Kind::whitening:
      orthogonal(random, shape.empty() ? 1 : static_cast<std::size_t>(shape[0]), drawn);
      break;
    default:
      random.normal(drawn);
  }
  const double length = init.kind == Init::Kind::whitening ? 1 : init.value;
  std::ranges::transform(drawn, values.begin(), [&](double x) { return static_cast<float>(x * length); });
}

}  // namespace chalk
