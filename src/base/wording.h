// Pieces of error messages: numbers one can read and names that cannot break the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/utf8.h"

namespace chalk {

/// 9999 → "9,999".
inline std::string grouped(std::uint64_t number) {
  const auto digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

/// "1 thread", "2 threads".
inline std::string counted(std::uint64_t number, std::string_view what) {
  return grouped(number) + ' ' + std::string(what) + (number == 1 ? "" : "s");
}

/// "a", "a or b", "a, b or c": what may be chosen.
inline std::string alternatives(const std::vector<std::string>& words, std::string_view last = " or ") {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last : ", ";
    out += words[i];
  }
  return out;
}

/// What a file says, cut after so many bytes: it may be long.
inline std::string in_brief(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  return std::string(first_bytes(text, kLongest)) + (text.size() > kLongest ? "…" : "");
}

/// A name from a file, in quotes: control characters as \xNN, cut after about 60 bytes.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  const bool cut = text.size() > kLongest;
  text = first_bytes(text, kLongest);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      constexpr const char* hex = "0123456789abcdef";
      out += {'\\', 'x', hex[byte >> 4U], hex[byte & 15U]};
    } else {
      out += c;
    }
  }
  return out + (cut ? "…\"" : "\"");
}

}  // namespace chalk
