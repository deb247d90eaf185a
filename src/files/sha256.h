// SHA-256, to tell an intact file from a damaged one.
#pragma once

#include <nettle/sha2.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chalk {

/// Bytes are added in any number of pieces; hex() then gives the digest, once.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::span<const std::uint8_t> bytes);
  Sha256& update(std::string_view text);
  /// Adds 8 bytes, least significant first.
  Sha256& update(std::uint64_t number);
  /// 64 lower-case hexadecimal digits of everything added so far. The object cannot be used afterwards.
  std::string hex();

 private:
  sha256_ctx context_;
};

/// Of one piece.
std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace chalk
