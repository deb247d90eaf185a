#include "src/base/moments.h"

namespace chalk {

void ByteMoments::add(const std::uint8_t* from, std::size_t size) {
  constexpr std::size_t kBlock = 65536;  // as many squares as fit into 32 bits, which vectors add faster
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    std::uint32_t some = 0, some_squared = 0;
    std::uint8_t low = least, high = most;
    const std::size_t end = std::min(size, begin + kBlock);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t byte = from[i];
      some += byte;
      some_squared += byte * byte;
      low = std::min(low, from[i]);
      high = std::max(high, from[i]);
    }
    once += some;
    squared += some_squared;
    least = low;
    most = high;
  }
  count += size;
}

}  // namespace chalk
