#include "chalkgrad/image.h"

#include <algorithm>
#include <array>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
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

void Recovery::fail(std::string_view reason) {
  message[reason.copy(message, sizeof message - 1)] = '\0';
  std::longjmp(back, 1);
}

Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name, std::int64_t max_pixels,
                   const Colour& background) {
  const ImageSource source{bytes, name, max_pixels, background};
  if (bytes.empty()) throw InputError(str(name, ": the file is empty; give a PNG or JPEG image"));
  if (begins_with(bytes, kPngMark)) return decode_png(source);
  if (begins_with(bytes, kJpegMark)) return decode_jpeg(source);
  throw InputError(str(name, ": is neither PNG nor JPEG by its first bytes; convert it to PNG"));
}

Image load_image(const std::filesystem::path& path, const Colour& background) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  return decode_image(read_file(path, kMostBytes), path.string(), kMostPixels, background);
}

}  // namespace chalk
