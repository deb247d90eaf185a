// Noise for the values of a microbatch: uniform in [0, 1), drawn by counter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/kernels/transfer.h"

namespace chalk {

/// Which noise: element i of a row is word i mod 4 of Philox's block (i / 4, row, position) under this key, without its
/// lowest eight bits, times 2^−24. So it is the same whichever thread, vector or call draws it.
struct NoiseStream {
  NoiseStream() = default;
  /// The key is the first half of Philox's block (hash_name(name), 0) under the key `seed`.
  NoiseStream(std::uint64_t seed, std::string_view name);

  std::array<std::uint32_t, 2> key{};
  std::uint64_t position = 0;
};

/// In [0, 1): the upper 24 bits.
inline float noise_unit(std::uint32_t bits) {
  return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * 0x1p-24f;
}

/// to[i] lanes = element i of each row, i < count < 2^34.
void noise_lanes(const NoiseStream& stream, LaneRows rows, std::size_t count, float* to);
/// to[i] = element i of the row.
void noise_one(const NoiseStream& stream, std::uint32_t row, std::size_t count, float* to);

}  // namespace chalk
