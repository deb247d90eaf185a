// UTF-8, character by character.
#pragma once

#include <cstddef>
#include <string_view>

namespace chalk {

/// False for the bytes inside a character, 10xxxxxx.
constexpr bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// How many characters a text has: not bytes, and not columns of a terminal.
std::size_t characters(std::string_view text);

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  ///< 0: it is not UTF-8
};
/// The character that the text begins with. Forms that are longer than necessary, surrogates, and codes beyond U+10FFFF
/// are not UTF-8; neither is an empty text.
Character first_character(std::string_view text);

/// text.substr(0, bytes), or a few bytes fewer so that no character is cut in two.
std::string_view first_bytes(std::string_view text, std::size_t bytes);

}  // namespace chalk
