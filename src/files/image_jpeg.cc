// JPEG through libjpeg(-turbo), whose errors come back by longjmp.
#include <cstddef>
#include <cstdio>
// jpeglib.h uses what the headers above declare, and jerror.h what it declares itself.
#include <jpeglib.h>
// clang-format off
#include <jerror.h>
// clang-format on

#include <string>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

// libjpeg's state and what its callbacks need.
struct Reader : Recovery {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::vector<std::uint8_t> row;

  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&info); }
};

Reader& reader_of(j_common_ptr info) { return *static_cast<Reader*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
  char reason[JMSG_LENGTH_MAX];
  info->err->format_message(info, reason);
  reader_of(info).fail(reason);
}

// Warnings of damaged data are errors here: libjpeg would fill the rest of the picture with grey. Some are harmless.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      on_error(info);
  }
}

// A progressive file could repeat tiny scans over a huge picture for ever.
void on_progress(j_common_ptr info) {
  constexpr int kMostScans = 200;
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMostScans) {
    reader_of(info).fail("more than 200 scans");
  }
}

// The first APP1 marker that holds EXIF; others hold XMP.
int orientation_of(const jpeg_decompress_struct& info) {
  const std::string_view mark("Exif\0\0", 6);
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> data(marker->data, marker->data_length);
    if (data.size() < mark.size() || !std::equal(mark.begin(), mark.end(), data.begin())) continue;
    return exif_orientation(data.subspan(mark.size()));
  }
  return 1;
}

// Every 8×8 block costs a bit at least, so a file cannot have many more pixels than this (arithmetic coding can).
bool plausible(const jpeg_decompress_struct& info, std::size_t size) {
  return info.arith_code != 0 ||
         static_cast<std::uint64_t>(info.image_width) * info.image_height / (std::uint64_t{64} * 8) <= size;
}

// CMYK to RGB. Adobe stores it inverted (255 is no ink), and so do nearly all files.
void rgb_of_cmyk(const std::vector<std::uint8_t>& row, bool inverted, std::uint8_t* rgb) {
  for (std::size_t i = 0; i + 3 < row.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned colour = inverted ? row[i + c] : 255U - row[i + c];
      const unsigned black = inverted ? row[i + 3] : 255U - row[i + 3];
      *rgb++ = static_cast<std::uint8_t>((colour * black + 127) / 255);
    }
  }
}

}  // namespace

Image decode_jpeg(const ImageSource& source) {
  Reader reader;
  auto& info = reader.info;
  info.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  info.client_data = &reader;
  guarded(reader, source.name, "JPEG", [&] {
    jpeg_create_decompress(&info);
    info.progress = &reader.progress;
    reader.progress.progress_monitor = on_progress;
    jpeg_mem_src(&info, source.bytes.data(), source.bytes.size());
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info, TRUE);
  });
  const int orientation = orientation_of(info);
  check_image_size(info.image_width, info.image_height, orientation, source);
  if (!plausible(info, source.bytes.size())) fail_damaged_image(source.name, "JPEG", "too few bytes for its size");

  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = grey ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  guarded(reader, source.name, "JPEG", [&] { jpeg_start_decompress(&info); });

  Image image{grey ? 1 : 3, static_cast<int>(info.output_height), static_cast<int>(info.output_width), {}};
  const auto stride = static_cast<std::size_t>(image.channels) * info.output_width;
  image.pixels.resize(stride * info.output_height);
  reader.row.resize(cmyk ? std::size_t{4} * info.output_width : 0);
  guarded(reader, source.name, "JPEG", [&] {
    while (info.output_scanline < info.output_height) {
      auto* out = image.pixels.data() + stride * info.output_scanline;
      auto* row = cmyk ? reader.row.data() : out;
      jpeg_read_scanlines(&info, &row, 1);
      if (cmyk) rgb_of_cmyk(reader.row, info.saw_Adobe_marker != 0, out);
    }
    jpeg_finish_decompress(&info);
  });
  return upright(std::move(image), orientation);
}

}  // namespace chalk
