// XXH64, a fast hash (Y. Collet): to notice that bytes have changed, not to withstand whoever means to deceive.
#pragma once

#include <cstdint>
#include <span>

namespace chalk {

/// With the seed 0, as `xxhsum -H1` and Python's xxhash.xxh64() have it. The same on every machine.
/// https://github.com/Cyan4973/xxHash/blob/v0.8.3/doc/xxhash_spec.md
std::uint64_t xxh64(std::span<const std::uint8_t> bytes);

}  // namespace chalk
