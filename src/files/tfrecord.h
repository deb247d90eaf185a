// TFRecord: a file of records one after the other, each with checksums, so that a reader can follow it while it grows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chalk {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): "123456789" has 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// Adds a record: its length in 64 bits, the masked CRC of these 8 bytes, the bytes, their masked CRC; numbers with the
/// least significant byte first. A CRC is masked, rotated right by 15 bits and plus 0xA282EAD8, so that a record may
/// hold records (tensorflow/core/lib/hash/crc32c.h).
void append_record(std::string& file, std::string_view bytes);

}  // namespace chalk
