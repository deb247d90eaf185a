// Single images: PNG and JPEG files of any size, converted to the size and channels a network takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace chalk {

/// pixels[row][column][channel], 0…255; channels is 1 (grey) or 3 (red, green, blue).
struct Image {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

constexpr std::int64_t kMostPixels = 100'000'000;

/// Decodes the contents of a PNG or JPEG file, told apart by their first bytes. Palettes and 1, 2, 4 and 16 bits become
/// 8 bits; transparency is shown on white; CMYK becomes RGB by the simple rule R = C·K; an EXIF orientation is
/// ignored. `name` is the file's name for messages. Throws InputError for any other format, damaged or truncated data,
/// and more than `max_pixels` pixels.
Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels = kMostPixels);

/// The same from a file.
Image load_image(const std::filesystem::path& path);

/// One sample {channels, height, width} in the layout of Dataset::bytes. Colour becomes grey by ITU-R 601,
/// (19595 R + 38470 G + 7471 B) / 65536, grey becomes colour by repetition. Each axis is resized by itself: smaller by
/// averaging the area a pixel covers, larger by linear interpolation between pixel centres. In integers throughout and
/// rounded once, so that the bytes are the same on every machine. Throws InputError unless channels is 1 or 3, the size
/// 1…65,536 a side and at most `kMostPixels` in all.
std::vector<std::uint8_t> fit_image(const Image& image, int channels, int height, int width);

}  // namespace chalk
