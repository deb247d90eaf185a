// PNG through libpng's simplified interface, which needs no setjmp on our side.
#include <png.h>

#include <memory>

#include "chalkgrad/error.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U | bytes[3];
}

// A header may promise more pixels than its file can hold at deflate's best rate, 1032 to 1. Found out before any
// memory is taken for them. The header chunk is always first: width at byte 16, height at 20.
void check_promise(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels) {
  if (bytes.size() < 33) fail_damaged_image(name, "PNG", "it ends within the header");
  const std::int64_t width = big_endian(bytes.subspan(16)), height = big_endian(bytes.subspan(20));
  check_image_size(width, height, name, max_pixels);
  if (static_cast<std::uint64_t>(width * height) / 8 > bytes.size() * 1032) {
    fail_damaged_image(name, "PNG", "too few bytes for its size");
  }
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels) {
  check_promise(bytes, name, max_pixels);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> release(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    fail_damaged_image(name, "PNG", png.message);
  }
  check_image_size(png.width, png.height, name, max_pixels);
  const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits without a gamma are the same curve as 8 bits
  png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image{colour ? 3 : 1, static_cast<int>(png.height), static_cast<int>(png.width), {}};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  const png_color white = {255, 255, 255};
  if (png_image_finish_read(&png, &white, image.pixels.data(), 0, nullptr) == 0) {
    fail_damaged_image(name, "PNG", png.message);
  }
  return image;
}

}  // namespace chalk
