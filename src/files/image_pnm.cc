// Netpbm's formats: P1 to P6, bits, grey or colour, as text or as bytes. One picture a file; what follows it is left
// alone.
#include <cmath>
#include <cstddef>
#include <optional>

#include "src/base/text.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

[[noreturn]] void fail_pnm(const ImageSource& source, std::string_view reason) {
  fail_damaged_image(source.name, "PNM", reason);
}

class PnmReader {
 public:
  explicit PnmReader(const ImageSource& source) : source_(source), at_(2) {}

  /// A decimal number, behind blanks and comments (# to the end of the line).
  std::int64_t number() {
    skip_blanks();
    std::int64_t value = 0;
    const auto first = at_;
    for (; at_ < source_.bytes.size() && source_.bytes[at_] >= '0' && source_.bytes[at_] <= '9'; ++at_) {
      value = value * 10 + (source_.bytes[at_] - '0');
      if (value > 1'000'000'000) fail_pnm(source_, "a number is too large");
    }
    if (at_ == first) fail_pnm(source_, at_ < source_.bytes.size() ? "no number where one belongs" : "it ends early");
    return value;
  }
  /// 0 or 1, of text, where digits may stand side by side.
  int bit() {
    skip_blanks();
    if (at_ == source_.bytes.size()) fail_pnm(source_, "it ends early");
    const auto digit = source_.bytes[at_++];
    if (digit != '0' && digit != '1') fail_pnm(source_, "no bit where one belongs");
    return digit - '0';
  }
  /// The one blank between the header and bytes.
  void end_header() {
    if (at_ == source_.bytes.size() || !is_blank(source_.bytes[at_])) fail_pnm(source_, "no blank behind the header");
    ++at_;
  }
  std::span<const std::uint8_t> rest() const { return source_.bytes.subspan(at_); }

 private:
  static bool is_blank(std::uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
  void skip_blanks() {
    for (; at_ < source_.bytes.size(); ++at_) {
      if (source_.bytes[at_] == '#') {
        while (at_ < source_.bytes.size() && source_.bytes[at_] != '\n' && source_.bytes[at_] != '\r') ++at_;
      } else if (!is_blank(source_.bytes[at_])) {
        return;
      }
      if (at_ == source_.bytes.size()) return;
    }
  }

  const ImageSource& source_;
  std::size_t at_;
};

/// A value of 0…most as a byte, in Pillow's arithmetic: in double, halves to the even side.
std::uint8_t as_byte(std::int64_t value, std::int64_t most) {
  if (most == 255) return static_cast<std::uint8_t>(value);
  return static_cast<std::uint8_t>(std::nearbyint(static_cast<double>(value) / static_cast<double>(most) * 255.0));
}

}  // namespace

Image decode_pnm(const ImageSource& source) {
  const int kind = source.bytes[1] - '0';  // 1…6
  const bool text = kind <= 3, bits = kind % 3 == 1;
  PnmReader reader(source);
  const auto width = reader.number(), height = reader.number();
  check_image_size(width, height, 1, source);
  const auto most = bits ? 1 : reader.number();
  if (most < 1 || most > 65535) fail_pnm(source, "its largest value is not from 1 to 65535");
  if (!text) reader.end_header();

  Image image{kind % 3 == 0 ? 3 : 1, static_cast<int>(height), static_cast<int>(width), {}};
  const auto count = static_cast<std::size_t>(width * height) * static_cast<std::size_t>(image.channels);
  const auto row = bits ? static_cast<std::size_t>((width + 7) / 8) : std::size_t{0};
  const std::size_t wide = most > 255 ? 2 : 1;
  const auto need = text ? count : bits ? row * static_cast<std::size_t>(height) : count * wide;
  if (reader.rest().size() < need) fail_pnm(source, "too few bytes for its size");

  image.pixels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t value = 0;
    const auto rest = reader.rest();
    if (bits) {  // 1 is black
      const auto x = i % static_cast<std::size_t>(width), y = i / static_cast<std::size_t>(width);
      value = 1 - (text ? reader.bit() : rest[y * row + x / 8] >> (7 - x % 8) & 1);
    } else {
      value = text ? reader.number() : wide == 1 ? rest[i] : rest[2 * i] << 8 | rest[2 * i + 1];
    }
    if (value > most) fail_pnm(source, "a value is above the largest");
    image.pixels.push_back(as_byte(value, most));
  }
  return image;
}

}  // namespace chalk
