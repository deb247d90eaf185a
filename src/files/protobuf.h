// Protocol buffers, written: https://protobuf.dev/programming-guides/encoding. A message is the bytes of its fields one
// after the other, so one inside another is just bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chalk {

class Protobuf {
 public:
  std::string_view bytes() const { return bytes_; }
  /// Empties it, and keeps its memory.
  Protobuf& clear() {
    bytes_.clear();
    return *this;
  }

  /// int32, int64, bool, enum. A negative number takes ten bytes.
  Protobuf& whole(std::uint32_t field, std::int64_t value) {
    key(field, 0);
    return varint(static_cast<std::uint64_t>(value));
  }
  Protobuf& real(std::uint32_t field, double value) {
    key(field, 1);
    return little_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  Protobuf& real(std::uint32_t field, float value) {
    key(field, 5);
    return little_endian(std::bit_cast<std::uint32_t>(value), 4);
  }
  /// string, bytes, or a message.
  Protobuf& text(std::uint32_t field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Protobuf& message(std::uint32_t field, const Protobuf& value) { return text(field, value.bytes()); }
  /// repeated double, packed.
  Protobuf& reals(std::uint32_t field, std::span<const double> values) {
    key(field, 2);
    varint(8 * values.size());
    for (const double value : values) little_endian(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }

 private:
  void key(std::uint32_t field, std::uint32_t wire_type) { varint(field << 3U | wire_type); }
  Protobuf& varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
    return *this;
  }
  Protobuf& little_endian(std::uint64_t value, int bytes) {
    for (; bytes > 0; --bytes, value >>= 8U) bytes_ += static_cast<char>(value);
    return *this;
  }

  std::string bytes_;
};

}  // namespace chalk
