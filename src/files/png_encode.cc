// PNG, written: https://www.w3.org/TR/png-3. zlib does what there is to do; libpng's writer would be 38 kB more of
// program for options that we do not have.
#include <zlib.h>

#include <string_view>

#include "chalkgrad/image.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& to, std::string_view bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append(Bytes& to, std::uint64_t number) {  // four bytes, the most significant first
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(number >> shift));
}

void append_chunk(Bytes& to, std::string_view kind, const Bytes& data) {
  append(to, data.size());
  const auto start = to.size();
  append(to, kind);
  to.insert(to.end(), data.begin(), data.end());
  append(to, crc32_z(0, to.data() + start, to.size() - start));
}

Bytes compressed(const Bytes& data) {
  auto size = compressBound(data.size());
  Bytes out(size);
  if (compress(out.data(), &size, data.data(), data.size()) != Z_OK) throw std::bad_alloc();
  out.resize(size);
  return out;
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Image& image) {
  const auto stride = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  const auto rows = static_cast<std::size_t>(image.height);
  const bool kind = image.channels == 1 || image.channels == 3;
  if (!kind || image.width < 1 || image.height < 1 || stride * rows > static_cast<std::size_t>(kMostPixels) ||
      image.pixels.size() != stride * rows) {
    throw InputError(str("an image of ", image.height, "×", image.width, " pixels with ", image.channels,
                         " channels and ", image.pixels.size(),
                         " bytes cannot be written; give 1 or 3 channels and a "
                         "byte for each value"));
  }
  Bytes header;
  append(header, static_cast<std::uint64_t>(image.width));
  append(header, static_cast<std::uint64_t>(image.height));
  const std::uint8_t grey = 0, colour = 2;
  for (const std::uint8_t byte : {std::uint8_t{8}, image.channels == 1 ? grey : colour, grey, grey, grey})
    header.push_back(byte);  // 8 bits; deflate, the usual filters, no interlacing
  Bytes lines;
  lines.reserve((stride + 1) * rows);
  for (auto line = image.pixels.begin(); line != image.pixels.end(); line += static_cast<std::ptrdiff_t>(stride)) {
    lines.push_back(0);  // no filter
    lines.insert(lines.end(), line, line + static_cast<std::ptrdiff_t>(stride));
  }
  Bytes file;
  append(file, "\x89PNG\r\n\x1a\n");
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", compressed(lines));
  append_chunk(file, "IEND", {});
  return file;
}

}  // namespace chalk
