// The decoders behind decode_image, and what they share.
#pragma once

#include <csetjmp>

#include "chalkgrad/image.h"

namespace chalk {

/// A picture's file and what is to be made of it.
struct ImageSource {
  std::span<const std::uint8_t> bytes;
  std::string_view name;
  std::int64_t max_pixels;
  Colour background;
};

Image decode_png(const ImageSource& source);
Image decode_jpeg(const ImageSource& source);
Image decode_pnm(const ImageSource& source);
Image decode_bmp(const ImageSource& source);

/// The orientation that EXIF data ask for, 1…8; 1, as it is stored, where they ask for none or cannot be read. They
/// begin with the byte order: "II" or "MM".
int exif_orientation(std::span<const std::uint8_t> exif);

/// The stored picture as it is to be seen.
Image upright(Image stored, int orientation);

/// Throws InputError if an image of this stored size is empty or has too many pixels.
void check_image_size(std::int64_t width, std::int64_t height, int orientation, const ImageSource& source);

/// Lays a picture whose channels are followed by opacity on the source's background. Throws InvisibleImage.
void lay_on_background(Image& image, const ImageSource& source);

/// InputError for an image whose data are damaged, with the decoder's reason.
[[noreturn]] void fail_damaged_image(std::string_view name, std::string_view format, std::string_view reason);

/// Where the errors of a library in C come back to. Lives outside of every frame that longjmp leaves.
struct Recovery {
  std::jmp_buf back{};
  char message[200] = "";

  [[noreturn]] void fail(std::string_view reason);
};

/// Runs calls into such a library. `calls` must not have objects with destructors: an error leaves it by longjmp.
template <class Calls>
void guarded(Recovery& recovery, std::string_view name, std::string_view format, Calls calls) {
  if (setjmp(recovery.back) != 0) fail_damaged_image(name, format, recovery.message);
  calls();
}

}  // namespace chalk
