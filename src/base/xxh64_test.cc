#include "src/base/xxh64.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace chalk {
namespace {

/// Of bytes 0, 7, 14, …; values by Python's xxhash 4.1.0, which wraps the author's 0.8.4.
TEST(Xxh64, HasTheValuesOfOthers) {
  const std::vector<std::pair<std::size_t, std::uint64_t>> expected = {
      {0, 0xef46db3751d8e999},   {1, 0xe934a84adb052768},  {3, 0x9ff70a635a6209ab},  {4, 0xae5acdc00a55ac41},
      {8, 0x87116b3365b924eb},   {15, 0x02c53ab1e360882f}, {31, 0x0f187c62b1e722b7}, {32, 0x91b0cb0931a8c629},
      {33, 0x931b043cf8d65b94},  {63, 0x219110bf13e2fa26}, {64, 0xbf3052e3445775d0}, {100, 0x8e2272c08247d5db},
      {1000, 0x25275608a9cfc168}};
  for (const auto& [size, hash] : expected) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(7 * i));
    EXPECT_EQ(xxh64(bytes), hash) << size;
  }
}

}  // namespace
}  // namespace chalk
