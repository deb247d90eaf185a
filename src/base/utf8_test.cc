#include "src/base/utf8.h"

#include <gtest/gtest.h>

namespace chalk {
namespace {

TEST(Utf8, CharactersAreFoundAndCounted) {
  const struct {
    const char* text;
    char32_t code;
    std::size_t bytes;
  } all[] = {{"x", U'x', 1},
             {"\x7f", 0x7F, 1},
             {"\xc2\x80", 0x80, 2},
             {"éa", U'é', 2},
             {"×", U'×', 2},
             {"∂x", U'∂', 3},
             {"\xed\x9f\xbf", 0xD7FF, 3},
             {"\xee\x80\x80", 0xE000, 3},
             {"𝄞", U'𝄞', 4},
             {"\xf4\x8f\xbf\xbf", 0x10FFFF, 4}};
  for (const auto& [text, code, bytes] : all) {
    EXPECT_EQ(first_character(text).code, code) << text;
    EXPECT_EQ(first_character(text).bytes, bytes) << text;
  }
  EXPECT_EQ(characters("δ3 − 𝄞"), 6U);
  EXPECT_EQ(characters(""), 0U);
}

TEST(Utf8, WhatIsNoneHasNoBytes) {
  for (const char* text : {"", "\x80", "\xbf", "\xc3", "\xc3(", "\xe2\x82", "\xe2\x82(", "\xf0\x9d\x84", "\xff",
                           "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_EQ(first_character(text).bytes, 0U) << text;
  }
}

TEST(Utf8, CuttingKeepsCharactersWhole) {
  EXPECT_EQ(first_bytes("a×b", 1), "a");
  EXPECT_EQ(first_bytes("a×b", 2), "a");
  EXPECT_EQ(first_bytes("a×b", 3), "a×");
  EXPECT_EQ(first_bytes("a×b", 99), "a×b");
  EXPECT_EQ(first_bytes("×", 1), "");
}

}  // namespace
}  // namespace chalk
