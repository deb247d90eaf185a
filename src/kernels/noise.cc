#include <algorithm>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/noise.cc"
#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"
#include "src/base/philox.h"
#include "src/base/random.h"
#include "src/kernels/noise.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void noise_lanes(const NoiseStream& stream, LaneRows rows, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; i += 4) {
    std::uint32_t c[4][16];
    for (std::size_t n = 0; n < 16; ++n) {
      c[0][n] = static_cast<std::uint32_t>(i / 4);
      c[1][n] = rows[n];
      c[2][n] = static_cast<std::uint32_t>(stream.position);
      c[3][n] = static_cast<std::uint32_t>(stream.position >> 32);
    }
    philox_blocks(c, stream.key);
    const std::size_t words = std::min<std::size_t>(4, count - i);
    for (std::size_t w = 0; w < words; ++w) {
      for (std::size_t n = 0; n < 16; ++n) to[(i + w) * 16 + n] = noise_unit(c[w][n]);
    }
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_EXPORT(noise_lanes);

void noise_lanes(const NoiseStream& stream, LaneRows rows, std::size_t count, float* to) {
  CHALK_CHOSEN(noise_lanes)(stream, rows, count, to);
}

void noise_one(const NoiseStream& stream, std::uint32_t row, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; i += 4) {
    const auto block = philox({static_cast<std::uint32_t>(i / 4), row, static_cast<std::uint32_t>(stream.position),
                               static_cast<std::uint32_t>(stream.position >> 32)},
                              stream.key);
    for (std::size_t w = 0; w < std::min<std::size_t>(4, count - i); ++w) to[i + w] = noise_unit(block[w]);
  }
}

NoiseStream::NoiseStream(std::uint64_t seed, std::string_view name) {
  const std::uint64_t hash = hash_name(name);
  const auto block = philox({static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32), 0, 0},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  key = {block[0], block[1]};
}

}  // namespace chalk
#endif
