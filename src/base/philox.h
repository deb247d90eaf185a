// Philox 4x32-10 over many counters: the loop that random.cc and the kernels of noise share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace chalk {

/// Turns kCounters counters, c[word][counter], into as many blocks of random bits. Doing them side by side keeps the
/// processor busy and lets the compiler use the vectors of whatever instruction set the caller is compiled for.
template <std::size_t kCounters>
[[gnu::always_inline]] inline void philox_blocks(std::uint32_t (&c)[4][kCounters], std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kCounters; ++i) {
      const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0][i], b = std::uint64_t{0xCD9E8D57} * c[2][i];
      c[0][i] = static_cast<std::uint32_t>(b >> 32) ^ c[1][i] ^ k[0];
      c[1][i] = static_cast<std::uint32_t>(b);
      c[2][i] = static_cast<std::uint32_t>(a >> 32) ^ c[3][i] ^ k[1];
      c[3][i] = static_cast<std::uint32_t>(a);
    }
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
}

}  // namespace chalk
