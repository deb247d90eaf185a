// The one thing of EXIF that changes what a picture shows: which side of it is up.
#include <algorithm>
#include <string_view>
#include <utility>

#include "src/files/image_decoders.h"

namespace chalk {

// EXIF data are a TIFF file: the byte order, 42, the place of the first directory; there the number of entries, then
// for each its tag, type, count and value in 2, 2, 4 and 4 bytes. Nothing else is followed.
int exif_orientation(std::span<const std::uint8_t> exif) {
  constexpr std::size_t kHeader = 8, kEntry = 12;
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3;
  if (exif.size() < kHeader) return 1;
  const std::string_view mark(reinterpret_cast<const char*>(exif.data()), 4);
  const bool big_endian = mark == std::string_view("MM\0*", 4);
  if (!big_endian && mark != std::string_view("II*\0", 4)) return 1;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | exif[at + (big_endian ? i : size - 1 - i)];
    return value;
  };

  const std::size_t directory = number(4, 4);
  if (directory + 2 > exif.size()) return 1;
  const auto first = directory + 2,
             entries = std::min<std::size_t>(number(directory, 2), (exif.size() - first) / kEntry);
  for (auto entry = first; entry < first + entries * kEntry; entry += kEntry) {
    if (number(entry, 2) != kOrientation) continue;
    const auto value = number(entry + 8, 2);
    const bool good = number(entry + 2, 2) == kShort && number(entry + 4, 4) == 1 && value >= 1 && value <= 8;
    return good ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image stored, int orientation) {
  if (orientation == 1) return stored;
  const auto bits = static_cast<unsigned>(orientation);
  const bool mirrored = (bits & 2U) != 0, upside_down = ((bits - 1) & 2U) != 0, swapped = bits > 4;
  Image seen{stored.channels, stored.height, stored.width, {}};
  if (swapped) std::swap(seen.height, seen.width);
  seen.pixels.reserve(stored.pixels.size());
  for (int y = 0; y < seen.height; ++y) {
    for (int x = 0; x < seen.width; ++x) {
      auto column = mirrored ? seen.width - 1 - x : x, row = upside_down ? seen.height - 1 - y : y;
      if (swapped) std::swap(column, row);
      const auto place =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(stored.width) + static_cast<std::size_t>(column);
      const auto* pixel = stored.pixels.data() + place * static_cast<std::size_t>(stored.channels);
      seen.pixels.insert(seen.pixels.end(), pixel, pixel + stored.channels);
    }
  }
  return seen;
}

}  // namespace chalk
