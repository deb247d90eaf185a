// Event files, read: record by record, with their checksums, and messages as their fields.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file.h"
#include "src/files/tfrecord.h"

namespace chalk::events_testing {

inline std::uint64_t number(std::string_view bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes.at(i))} << (8 * i);
  return value;
}

/// CRC-32C bit by bit, as RFC 3720 defines it, then masked.
inline std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

/// The records of a file that must be whole.
inline std::vector<std::string> records(std::string_view file) {
  std::vector<std::string> found;
  while (!file.empty()) {
    const auto size = static_cast<std::size_t>(number(file, 8));
    EXPECT_EQ(number(file.substr(8), 4), masked_crc(file.substr(0, 8)));
    EXPECT_EQ(number(file.substr(12 + size), 4), masked_crc(file.substr(12, size)));
    found.emplace_back(file.substr(12, size));
    file.remove_prefix(16 + size);
  }
  return found;
}

/// A field's value: a number's bits, or bytes.
struct FieldValue {
  std::uint64_t bits = 0;
  std::string bytes{};

  std::int64_t whole() const { return static_cast<std::int64_t>(bits); }
  double real() const { return std::bit_cast<double>(bits); }
  float real32() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); }
  std::vector<double> reals() const {
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
};
using Fields = std::multimap<std::uint64_t, FieldValue>;

inline std::uint64_t varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(0));
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 127U} << shift;
    if (byte < 128) return value;
  }
}

inline Fields fields(std::string_view message) {
  Fields found;
  while (!message.empty()) {
    const auto key = varint(message);
    FieldValue value;
    std::size_t size = 0;
    switch (key & 7U) {
      case 0:
        value.bits = varint(message);
        break;
      case 1:
      case 5:
        size = (key & 7U) == 1 ? 8 : 4;
        value.bits = number(message, size);
        break;
      case 2:
        size = static_cast<std::size_t>(varint(message));
        value.bytes = message.substr(0, size);
        break;
      default:
        ADD_FAILURE() << "wire type " << (key & 7U);
        return found;
    }
    message.remove_prefix(size);
    found.emplace(key >> 3U, value);
  }
  return found;
}

/// The field of that number, which must be there once.
inline FieldValue field(std::string_view message, std::uint64_t number) {
  const auto all = fields(message);
  EXPECT_EQ(all.count(number), 1U) << "field " << number;
  return all.contains(number) ? all.find(number)->second : FieldValue{};
}

/// What an event says of a tag: event.proto, summary.proto.
struct Told {
  std::string tag;
  std::int64_t step = 0;
  std::string value;  // the message
  float scalar() const { return field(value, 2).real32(); }
  std::string image() const { return field(value, 4).bytes; }
  std::string histogram() const { return field(value, 5).bytes; }
  std::string text() const { return field(field(value, 8).bytes, 8).bytes; }
};

struct EventFile {
  std::vector<Told> told;
  std::vector<std::int64_t> starts;  // steps at which a session starts

  /// Of one tag.
  std::vector<Told> of(std::string_view tag) const {
    std::vector<Told> found;
    for (const auto& one : told) {
      if (one.tag == tag) found.push_back(one);
    }
    return found;
  }
};

inline EventFile read(const std::filesystem::path& path) {
  const auto bytes = read_file(path, 1 << 24);
  const auto all = records({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EventFile file;
  double time = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto event = fields(all[i]);
    EXPECT_GE(event.find(1)->second.real(), time);
    time = event.find(1)->second.real();
    const auto step = event.find(2)->second.whole();
    EXPECT_EQ(event.contains(3) ? event.find(3)->second.bytes : "", i == 0 ? "brain.Event:2" : "");
    if (event.contains(7)) {
      EXPECT_EQ(field(event.find(7)->second.bytes, 1).whole(), 1);
      file.starts.push_back(step);
    }
    if (!event.contains(5)) continue;
    for (const auto& [number, value] : fields(event.find(5)->second.bytes))
      file.told.push_back({field(value.bytes, 1).bytes, step, value.bytes});
  }
  EXPECT_GT(time, 1.7e9);  // seconds since 1970
  return file;
}

/// The event files in a folder, in the order in which they are read.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace chalk::events_testing
