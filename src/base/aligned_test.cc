#include "src/base/aligned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace chalk {
namespace {

TEST(AlignedFloats, AreZerosInMemoryThatWasInUse) {
  // Around whole huge pages, and so often that the heap gives back what it had before.
  for (const std::size_t bytes :
       {std::size_t{64}, std::size_t{4} << 10, std::size_t{5} << 20, (std::size_t{9} << 20) + 64}) {
    for (int round = 0; round < 4; ++round) {
      const AlignedFloats memory(bytes / sizeof(float));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0u);
      ASSERT_EQ(std::count(memory.data(), memory.data() + memory.size(), 0.0f),
                static_cast<std::ptrdiff_t>(memory.size()))
          << bytes << " bytes, round " << round;
      std::fill_n(memory.data(), memory.size(), 1.0f);
    }
  }
}

}  // namespace
}  // namespace chalk
