// What the tests of convolution and dense kernels share.
#pragma once

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "src/base/aligned.h"
#include "src/base/target.h"

namespace chalk {

/// A random number, from the whole range from the first case on.
inline std::int64_t pick(std::int64_t first, std::int64_t last) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(first, last + 1));
}

/// Aligned floats, all NaN at first, with a margin after them that nobody may write to.
class Guarded {
 public:
  explicit Guarded(std::size_t count) : floats_(AlignedFloats::round(count) + kMargin), count_(count) {
    for (std::size_t i = 0; i < floats_.size(); ++i) floats_.data()[i] = i < count ? NAN : kMark;
  }
  Guarded(std::size_t count, std::mt19937& random) : Guarded(count) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& f : span()) f = uniform(random);
  }
  float* data() const { return floats_.data(); }
  std::span<float> span() const { return {floats_.data(), count_}; }
  float& operator[](std::int64_t i) const { return floats_.data()[i]; }
  bool intact() const {
    for (std::size_t i = count_; i < floats_.size(); ++i) {
      if (floats_.data()[i] != kMark) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kMargin = 64;
  static constexpr float kMark = 1234567.0f;
  AlignedFloats floats_;
  std::size_t count_;
};

/// Runs `body` once on every instruction set that was compiled and that this machine has.
template <class Body>
void on_every_target(Body body) {
  for (const auto target : targets()) {
    use_target(target);
    body();
  }
  use_target(choose_target());
}

/// Throws, so that RapidCheck sees it and looks for a smaller case.
inline void fail(const char* what, std::size_t place, double actual, double expected) {
  std::ostringstream message;
  message << target_name(static_cast<Target>(chosen_target())) << ": " << what << "[" << place << "] is " << actual
          << " instead of " << expected;
  throw std::runtime_error(message.str());
}

/// The same bits; or NaN and NaN, whose payload nobody promises.
inline void expect_same_bits(std::span<const float> actual, std::span<const float> expected, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(actual[i]) && std::isnan(expected[i])) continue;
    if (std::bit_cast<std::uint32_t>(actual[i]) != std::bit_cast<std::uint32_t>(expected[i]))
      fail(what, i, actual[i], expected[i]);
  }
}

/// A sum in double, and the sum of its terms' magnitudes, which bounds the error of summing in float.
struct Sum {
  double value = 0, magnitude = 0;
  std::int64_t terms = 0;

  void add(double term) {
    value += term;
    magnitude += std::abs(term);
    ++terms;
  }
};

/// Each float is within terms·ε·Σ|terms| of its sum: one rounding of at most ε/2·Σ|terms| for each term, and as many
/// again for folding lanes and adding bands.
inline void expect_close(std::span<const float> actual, std::span<const Sum> expected, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double bound = static_cast<double>(expected[i].terms) * 0x1p-23 * expected[i].magnitude;
    if (!(std::abs(actual[i] - expected[i].value) <= bound)) fail(what, i, actual[i], expected[i].value);
  }
}

/// The tree 16→8→4→2→1.
inline float fold_tree(std::span<float, 16> lanes) {
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace chalk
