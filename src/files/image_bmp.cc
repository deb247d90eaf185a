// BMP as Windows writes it, without compression: 1, 4 or 8 bits with a palette, 16, 24 or 32 with red, green and blue.
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

[[noreturn]] void fail_bmp(const ImageSource& source, std::string_view reason) {
  fail_damaged_image(source.name, "BMP", reason);
}

/// Numbers, least significant byte first.
class Numbers {
 public:
  explicit Numbers(const ImageSource& source) : source_(source) {}
  std::uint32_t operator()(std::size_t at, std::size_t size) const {
    if (at + size > source_.bytes.size()) fail_bmp(source_, "it ends within the header");
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint32_t{source_.bytes[at + i]} << 8 * i;
    return value;
  }

 private:
  const ImageSource& source_;
};

struct BmpHeader {
  std::int64_t width = 0, height = 0;
  bool from_top = false;
  std::size_t pixels = 0;  // where they begin
  std::size_t bits = 0;
  std::size_t palette = 0, colours = 0, colour_bytes = 4;  // where it begins; how many there are
  std::array<std::uint32_t, 4> masks = {};                 // red, green, blue and opacity of a pixel; 0: it has none
};

BmpHeader read_header(const ImageSource& source) {
  constexpr std::size_t kBefore = 14, kCore = 12, kInfo = 40;
  constexpr std::uint32_t kPlain = 0, kMasks = 3, kMasksWithOpacity = 6;
  const Numbers number(source);
  BmpHeader header;
  header.pixels = number(10, 4);
  const std::size_t size = number(kBefore, 4);
  if (size != kCore && size < kInfo) fail_bmp(source, "its header has an impossible size");
  std::uint32_t compression = kPlain;
  if (size == kCore) {
    header.width = number(18, 2);
    header.height = number(20, 2);
    header.bits = number(24, 2);
    header.colour_bytes = 3;
  } else {
    header.width = static_cast<std::int32_t>(number(18, 4));
    header.height = static_cast<std::int32_t>(number(22, 4));
    header.bits = number(28, 2);
    compression = number(30, 4);
    header.colours = number(46, 4);
    header.from_top = header.height < 0;
    if (header.from_top) header.height = -header.height;
  }
  check_image_size(header.width, header.height, 1, source);
  const auto bits = header.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    fail_bmp(source, str(bits, " bits a pixel"));
  }
  const bool masked = (compression == kMasks || compression == kMasksWithOpacity) && (bits == 16 || bits == 32);
  if (compression != kPlain && !masked) {
    throw InputError(str(source.name, ": is a compressed BMP image, which is not read; convert it to PNG"));
  }
  header.palette = kBefore + size;
  if (bits == 16) header.masks = {0x7C00, 0x03E0, 0x001F, 0};
  if (bits == 32) header.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  if (masked) {  // behind the short header, or within the longer ones
    const bool has_opacity = compression == kMasksWithOpacity || size >= 56;
    for (std::size_t i = 0; i < (has_opacity ? 4U : 3U); ++i) header.masks[i] = number(54 + 4 * i, 4);
  }
  if (bits <= 8) {
    const auto most = std::size_t{1} << bits;
    if (header.colours == 0 || header.colours > most) header.colours = most;
  }
  return header;
}

/// The part of a pixel that a mask shows, as 0…255.
std::uint8_t masked(std::uint32_t pixel, std::uint32_t mask) {
  const auto most = mask >> std::countr_zero(mask);
  const auto value = (pixel & mask) >> std::countr_zero(mask);
  return static_cast<std::uint8_t>((std::uint64_t{value} * 255 + most / 2) / most);
}

}  // namespace

Image decode_bmp(const ImageSource& source) {
  const auto header = read_header(source);
  const auto width = static_cast<std::size_t>(header.width), height = static_cast<std::size_t>(header.height);
  const auto stride = (width * header.bits + 31) / 32 * 4;
  if (header.pixels > source.bytes.size() || (source.bytes.size() - header.pixels) / stride < height) {
    fail_bmp(source, "too few bytes for its size");
  }
  const Numbers number(source);
  const auto& masks = header.masks;
  const bool opacity = header.bits >= 16 && masks[3] != 0;
  if (header.bits == 16 || header.bits == 32) {
    for (std::size_t c = 0; c < 3; ++c) {
      if (masks[c] == 0) fail_bmp(source, "a colour without bits");
    }
  }
  std::vector<std::array<std::uint8_t, 3>> palette(header.bits <= 8 ? header.colours : 0);
  bool grey = !palette.empty();
  for (std::size_t i = 0; i < palette.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      palette[i][c] = static_cast<std::uint8_t>(number(header.palette + i * header.colour_bytes + 2 - c, 1));
    grey = grey && palette[i][0] == palette[i][1] && palette[i][1] == palette[i][2];
  }
  Image image{grey ? 1 : 3, static_cast<int>(height), static_cast<int>(width), {}};
  const auto each = static_cast<std::size_t>(image.channels) + (opacity ? 1 : 0);
  image.pixels.reserve(width * height * each);
  for (std::size_t y = 0; y < height; ++y) {
    const auto* row = source.bytes.data() + header.pixels + (header.from_top ? y : height - 1 - y) * stride;
    for (std::size_t x = 0; x < width; ++x) {
      std::array<std::uint8_t, 4> pixel = {};
      if (header.bits <= 8) {
        const auto bit = x * header.bits;
        const auto index = row[bit / 8] >> (8 - header.bits - bit % 8) & ((1U << header.bits) - 1);
        if (index >= palette.size()) fail_bmp(source, "a colour that the palette lacks");
        std::copy(palette[index].begin(), palette[index].end(), pixel.begin());
      } else if (header.bits == 24) {
        pixel = {row[3 * x + 2], row[3 * x + 1], row[3 * x], 0};
      } else {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < header.bits / 8; ++i) value |= std::uint32_t{row[x * header.bits / 8 + i]} << 8 * i;
        for (std::size_t c = 0; c < (opacity ? 4U : 3U); ++c) pixel[c] = masked(value, masks[c]);
      }
      image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.begin() + static_cast<std::ptrdiff_t>(each));
    }
  }
  if (opacity) lay_on_background(image, source);
  return image;
}

}  // namespace chalk
