#include "chalkgrad/image.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

constexpr std::array<std::uint8_t, 8> kPngMark = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::array<std::uint8_t, 3> kJpegMark = {0xFF, 0xD8, 0xFF};

template <std::size_t N>
bool begins_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& mark) {
  return bytes.size() >= N && std::equal(mark.begin(), mark.end(), bytes.begin());
}

/// What is known and not read, or nothing.
std::string_view format_of(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("RIFF") && text.substr(0, 12).ends_with("WEBP")) return "WebP";
  if (text.starts_with("GIF8")) return "GIF";
  if (text.starts_with("II*") || text.substr(0, 4) == std::string_view("MM\0*", 4)) return "TIFF";
  if (text.substr(0, 12).ends_with("ftypavif")) return "AVIF";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") return "HEIF";
  return {};
}

}  // namespace

void check_image_size(std::int64_t width, std::int64_t height, int orientation, const ImageSource& source) {
  if (width < 1 || height < 1) throw InputError(str(source.name, ": the image has no pixels; save it again"));
  if (width > source.max_pixels / height) {
    if (orientation > 4) std::swap(width, height);
    throw InputError(str(source.name, ": the image has ", width, "×", height, " pixels, more than the ",
                         grouped(static_cast<std::uint64_t>(source.max_pixels)), " accepted here; make it smaller"));
  }
}

void fail_damaged_image(std::string_view name, std::string_view format, std::string_view reason) {
  throw InputError(str(name, ": the ", format, " data are damaged or truncated (", reason,
                       "); fetch the file again or save it anew"));
}

// Stored values are blended, not light: that is what browsers and paint programs do.
void lay_on_background(Image& image, const ImageSource& source) {
  constexpr int kHardlySeen = 8;
  const auto& [red, green, blue] = source.background;
  const std::array<std::uint8_t, 3> behind = {red, green, blue};
  const auto channels = static_cast<std::size_t>(image.channels);
  bool transparent = false, ink = false, seen = false;
  auto* out = image.pixels.data();
  const auto* end = out + image.pixels.size();
  for (const auto* in = out; in != end; in += channels + 1) {
    const unsigned opacity = in[channels];
    transparent |= opacity < 255;
    ink |= opacity > 0;
    for (std::size_t c = 0; c < channels; ++c) {
      seen |= opacity > 0 && std::abs(in[c] - behind[c]) > kHardlySeen;
      *out++ = static_cast<std::uint8_t>((in[c] * opacity + behind[c] * (255 - opacity) + 127) / 255);
    }
  }
  image.pixels.resize(static_cast<std::size_t>(out - image.pixels.data()));
  if (transparent && ink && !seen) {
    const bool bright = red + green + blue > 3 * 127;
    throw InvisibleImage(str(source.name, ": all that is visible in it has the colour of the background; lay it on ",
                             bright ? "black" : "white"),
                         bright ? kBlack : kWhite);
  }
}

void Recovery::fail(std::string_view reason) {
  message[reason.copy(message, sizeof message - 1)] = '\0';
  std::longjmp(back, 1);
}

std::optional<Colour> colour_in(std::string_view text) {
  if (text == "white") return kWhite;
  if (text == "black") return kBlack;
  const auto digits = text.substr(text.starts_with('#') ? 1 : 0);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 6 || error != std::errc() || end != digits.data() + digits.size()) return {};
  return Colour{static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 8U),
                static_cast<std::uint8_t>(value)};
}

Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels,
                   const Colour& background) {
  const ImageSource source{bytes, name, max_pixels, background};
  if (bytes.empty()) throw InputError(str(name, ": the file is empty; give a PNG, JPEG, PNM or BMP image"));
  if (begins_with(bytes, kPngMark)) return decode_png(source);
  if (begins_with(bytes, kJpegMark)) return decode_jpeg(source);
  if (bytes.size() >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6') return decode_pnm(source);
  if (bytes.size() >= 2 && bytes[0] == 'B' && bytes[1] == 'M') return decode_bmp(source);
  const auto known = format_of(bytes);
  throw InputError(str(name, known.empty() ? ": is none of PNG, JPEG, PNM and BMP" : ": is a picture in ", known,
                       known.empty() ? " by its first bytes; convert it to PNG" : "; convert it to PNG"));
}

bool is_picture_name(std::string_view name) {
  constexpr std::array<std::string_view, 17> endings = {"jpg",  "jpeg", "jfif", "png",  "ppm", "pgm",
                                                        "pbm",  "pnm",  "bmp",  "gif",  "tif", "tiff",
                                                        "webp", "avif", "heic", "heif", "jpe"};
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const auto ending = lower_case(name.substr(dot + 1));
  return std::ranges::find(endings, ending) != endings.end();
}

Image load_image(const std::filesystem::path& path, const Colour& background) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  return decode_image(read_file(path, kMostBytes), path.string(), kMostPixels, background);
}

}  // namespace chalk
