// PNG through libpng, whose errors come back by longjmp. Its simplified interface would need none, but changes pixels
// by gAMA and cHRM, which nobody else does.
#include <png.h>

#include <algorithm>
#include <new>
#include <utility>

#include "src/base/text.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

// libpng's state and what its callbacks need.
struct PngReader : Recovery {
  std::span<const std::uint8_t> rest;  // of the file
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit PngReader(std::span<const std::uint8_t> bytes) : rest(bytes) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<PngReader*>(png_get_error_ptr(png))->fail(message);
}

void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void on_read(png_structp png, png_bytep to, std::size_t size) {
  auto& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest;
  if (size > rest.size()) png_error(png, "read beyond end of data");
  std::copy_n(rest.data(), size, to);
  rest = rest.subspan(size);
}

// All chunks are checked, but of those that need not be there only transparency and EXIF are read.
void open(PngReader& reader) {
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png == nullptr) return;
  reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return;
  png_set_read_fn(reader.png, &reader, on_read);
  png_set_crc_action(reader.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_AS_DEFAULT, reinterpret_cast<png_const_bytep>("eXIf"), 1);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_image_size has a limit of its own
  png_read_info(reader.png, reader.info);
}

// The header chunk is always first: width at byte 16, height at 20.
void check_header(const ImageSource& source) {
  if (source.bytes.size() < 33) fail_damaged_image(source.name, "PNG", "it ends within the header");
  for (const std::size_t side : {16, 20}) {
    if (png_get_uint_32(source.bytes.data() + side) == 0) check_image_size(0, 0, 1, source);
  }
}

int orientation_of(const PngReader& reader) {
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  return png_get_eXIf_1(reader.png, reader.info, &size, &exif) == 0 ? 1 : exif_orientation({exif, size});
}

}  // namespace

Image decode_png(const ImageSource& source) {
  check_header(source);
  PngReader reader(source.bytes);
  guarded(reader, source.name, "PNG", [&] { open(reader); });
  if (reader.info == nullptr) throw std::bad_alloc();
  const auto png = reader.png;
  const auto info = reader.info;
  const std::int64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  check_image_size(width, height, orientation_of(reader), source);
  // A header may promise more pixels than its file can hold at deflate's best rate, 1032 to 1.
  if (static_cast<std::uint64_t>(width * height) / 8 > source.bytes.size() * 1032) {
    fail_damaged_image(source.name, "PNG", "too few bytes for its size");
  }

  const auto& behind = source.background;
  const bool on_colour = behind.red != behind.green || behind.green != behind.blue;
  Image image{0, static_cast<int>(height), static_cast<int>(width), {}};
  bool transparent = false;
  std::size_t stride = 0;
  int passes = 0;
  guarded(reader, source.name, "PNG", [&] {
    const auto kind = png_get_color_type(png, info);
    transparent = (kind & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    png_set_expand(png);
    png_set_strip_16(png);
    if (transparent && on_colour) png_set_gray_to_rgb(png);
    passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    image.channels = png_get_channels(png, info) - (transparent ? 1 : 0);
    stride = png_get_rowbytes(png, info);
  });
  image.pixels.resize(stride * static_cast<std::size_t>(height));
  guarded(reader, source.name, "PNG", [&] {
    for (; passes > 0; --passes) {
      for (auto* row = image.pixels.data(); row != image.pixels.data() + image.pixels.size(); row += stride) {
        png_read_row(png, row, nullptr);
      }
    }
    png_read_end(png, info);  // EXIF may follow the pixels
  });
  if (transparent) lay_on_background(image, source);
  return upright(std::move(image), orientation_of(reader));
}

}  // namespace chalk
