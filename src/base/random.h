// Counter-based random numbers: what is drawn depends on a key and a counter, never on what was drawn before. Philox
// 4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace chalk {

/// Philox 4x32-10.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// FNV-1a, to make a stream number from a name.
std::uint64_t hash_name(std::string_view name);

/// A stream of random numbers for one purpose: (seed, stream) name it, `position` counts along it.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t position = 0)
      : seed_(seed), stream_(stream), position_(position) {}

  std::uint32_t bits();
  /// Uniform in [0, bound), without bias; bound >= 1.
  std::uint32_t below(std::uint32_t bound);
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal (Marsaglia's polar method), the same bits with every C library.
  void normal(std::span<double> values);
  double normal() {
    double value = 0;
    normal({&value, 1});
    return value;
  }

 private:
  std::uint64_t seed_, stream_, position_;
  std::array<std::uint32_t, 4> block_{};
  unsigned left_ = 0;
};

}  // namespace chalk
