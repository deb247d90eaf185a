// Reading gzip, with a bound on what comes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace chalk {

/// True if the bytes begin as gzip does.
bool is_gzip(std::span<const std::uint8_t> bytes);

/// The first `max_bytes` of what the gzip data hold, or all of it if that is less; then its checksum is verified, too.
/// Memory grows with what is actually decompressed. Throws InputError naming `name` if the data are damaged, end early
/// or are followed by something else.
std::vector<std::uint8_t> gunzip(std::span<const std::uint8_t> bytes, std::size_t max_bytes, std::string_view name);

/// CRC-32, as gzip and zip have it, of bytes that follow others with the checksum `before`.
std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);

}  // namespace chalk
