// The two decoders behind decode_image.
#pragma once

#include "chalkgrad/image.h"

namespace chalk {

Image decode_png(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels);
Image decode_jpeg(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels);

/// Throws InputError if an image of this size is empty or has too many pixels.
void check_image_size(std::int64_t width, std::int64_t height, std::string_view name, std::int64_t max_pixels);

/// InputError for an image whose data are damaged, with the decoder's reason.
[[noreturn]] void fail_damaged_image(std::string_view name, std::string_view format, std::string_view reason);

}  // namespace chalk
