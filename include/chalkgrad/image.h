// Single images: PNG, JPEG, PNM and BMP files of any size, converted to the size and channels a network takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chalkgrad/error.h"

namespace chalk {

/// pixels[row][column][channel], 0…255; channels is 1 (grey) or 3 (red, green, blue).
struct Image {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

constexpr std::int64_t kMostPixels = 100'000'000;

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
};
constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255};
/// "white", "black" or six hexadecimal digits, RRGGBB, with or without #; nothing for another text.
std::optional<Colour> colour_in(std::string_view text);

/// Decodes the contents of a PNG, JPEG, PNM or BMP file, told apart by their first bytes, to what a person sees:
/// - turned as its EXIF orientation says (JPEG's APP1, PNG's eXIf); height and width are those of the turned picture;
/// - transparency laid on `background` by blending stored values, as browsers do. On a colour, grey becomes colour;
/// - palettes and 1, 2 and 4 bits as 8 bits; of 16 bits the upper 8; PNM's values by their largest one, rounded;
///   CMYK as RGB by the simple rule R = C·K;
/// - gamma, colour profiles and the background that a PNG file may name are ignored, as nearly everywhere.
/// docs/formats.md compares this with other decoders. `name` is the file's name for messages. Throws InputError for any
/// other format, damaged or truncated data, and more than `max_pixels` pixels; InvisibleImage if nothing can be seen.
Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels = kMostPixels,
                   const Colour& background = kWhite);

/// The same from a file.
Image load_image(const std::filesystem::path& path, const Colour& background = kWhite);

/// Whether a file's name ends as names of pictures do, also of those that cannot be decoded.
bool is_picture_name(std::string_view name);

/// The picture as a PNG file, which decode_image() gives back. Throws InputError unless channels is 1 or 3, the size at
/// least 1×1 and `pixels` a byte for each value, at most `kMostPixels` of them.
std::vector<std::uint8_t> encode_png(const Image& image);

/// A partly transparent picture whose ink has nearly the background's colour, such as white ink on nothing, on white.
class InvisibleImage : public InputError {
 public:
  InvisibleImage(const std::string& what, const Colour& better) : InputError(what), visible_on(better) {}
  const Colour visible_on;  ///< black or white
};

/// A part of a picture, in pixels.
struct PicturePart {
  std::int64_t row = 0, column = 0, rows = 1, columns = 1;
};
/// Throws InputError unless the part is within the image and has pixels.
Image crop_image(const Image& image, const PicturePart& part);

/// How a picture of another shape is brought to a size.
enum class Fit : std::uint8_t {
  stretch,  ///< each axis by itself: the aspect ratio is not kept
  crop,     ///< the largest part in its middle that has the size's aspect ratio, in whole pixels; what is beside it, or
            ///< above and below, is left out (torchvision's Resize(s) and CenterCrop(s))
};

/// One sample {channels, height, width} in the layout of Dataset::bytes. Colour becomes grey by ITU-R 601,
/// (19595 R + 38470 G + 7471 B) / 65536, grey becomes colour by repetition. Each axis is resized by itself, of the
/// whole picture or a part of it: smaller by averaging the area a pixel covers, larger by linear interpolation between
/// pixel centres. In integers throughout and rounded once, so that the bytes are the same on every machine. Throws
/// InputError unless channels is 1 or 3, the size 1…65,536 a side and at most `kMostPixels` in all.
std::vector<std::uint8_t> fit_image(const Image& image, int channels, int height, int width, Fit fit = Fit::stretch);

}  // namespace chalk
