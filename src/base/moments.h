// Means and deviations of elements, and the line that brings them to mean 0 and deviation 1: the one place that says
// how.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace chalk {

/// x becomes x · scale + shift, with one rounding.
struct Affine {
  float scale = 1, shift = 0;
};
constexpr Affine kAsItIs{};

/// x becomes (x − mean) / deviation. Where there is no deviation, all elements are the mean: `constant`, a number above
/// 0, divides instead, so they become 0.
inline Affine standardising(double mean, double deviation, double constant) {
  const double by = deviation > 0 ? deviation : constant;
  return {static_cast<float>(1.0 / by), static_cast<float>(-mean / by)};
}

/// What is known of the elements of a channel, or of a sample. Deviations are of all there are (divided by n, not by
/// n − 1).
struct Moments {
  double mean = 0, deviation = 0, least = 0, most = 0;
};

/// Of bytes, in integers, so the order does not matter. Exact up to 2^48 of them.
struct ByteMoments {
  std::uint64_t once = 0, squared = 0, count = 0;  ///< their sum, that of their squares, and how many they are
  std::uint8_t least = 255, most = 0;

  void add(const std::uint8_t* from, std::size_t size);
  void add(const ByteMoments& others) {
    once += others.once;
    squared += others.squared;
    count += others.count;
    least = std::min(least, others.least);
    most = std::max(most, others.most);
  }
  Moments moments() const {
    const auto n = static_cast<double>(count);
    const double mean = static_cast<double>(once) / n;
    const double variance = static_cast<double>(squared) / n - mean * mean;
    const bool varies = least < most && variance > 0;
    return {mean, varies ? std::sqrt(variance) : 0, static_cast<double>(least), static_cast<double>(most)};
  }
};

/// Of finite numbers, in double and in their order, twice: first for the mean.
class ValueMoments {
 public:
  void add(const float* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<double>(from[i]);
      sum_ += value;
      least_ = count_ + i == 0 ? value : std::min(least_, value);
      most_ = count_ + i == 0 ? value : std::max(most_, value);
    }
    count_ += count;
  }
  void add_again(const float* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const double away = static_cast<double>(from[i]) - mean();
      squares_ += away * away;
    }
  }
  Moments moments() const {
    return {mean(), least_ < most_ ? std::sqrt(squares_ / static_cast<double>(count_)) : 0, least_, most_};
  }

 private:
  double mean() const { return sum_ / static_cast<double>(count_); }
  double sum_ = 0, squares_ = 0, least_ = 0, most_ = 0;
  std::size_t count_ = 0;
};

constexpr double kHighestByte = 255;
/// What divides where nothing varies: then bytes stay in a range of 1, and numbers keep their unit.
constexpr double kConstantBytes = kHighestByte, kConstantValues = 1;

/// Of one sample: all its elements together.
inline Affine standardising(const std::uint8_t* sample, std::size_t count) {
  ByteMoments sums;
  sums.add(sample, count);
  const auto found = sums.moments();
  return standardising(found.mean, found.deviation, kConstantBytes);
}
inline Affine standardising(const float* sample, std::size_t count) {
  ValueMoments sums;
  sums.add(sample, count);
  sums.add_again(sample, count);
  const auto found = sums.moments();
  return standardising(found.mean, found.deviation, kConstantValues);
}

}  // namespace chalk
