#include "src/files/tfrecord.h"

#include <array>
#include <bit>

namespace chalk {
namespace {

constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table[byte] = crc;
  }
  return table;
}();

void append(std::string& file, std::uint64_t number, int bytes) {
  for (; bytes > 0; --bytes, number >>= 8U) file += static_cast<char>(number);
}

std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8U ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU];
  return ~crc;
}

void append_record(std::string& file, std::string_view bytes) {
  const auto start = file.size();
  append(file, bytes.size(), 8);
  append(file, masked(crc32c(std::string_view(file).substr(start))), 4);
  file += bytes;
  append(file, masked(crc32c(bytes)), 4);
}

}  // namespace chalk
