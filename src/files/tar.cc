// An archive is blocks of 512 bytes: for each file a header and its bytes, filled up with zeros; then two blocks of
// zeros. POSIX.1-2017, pax, "ustar Interchange Format"; GNU's names of more than 100 bytes are files of the type L.
#include "src/files/tar.h"

#include <algorithm>
#include <optional>

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

constexpr std::uint64_t kAsInHeader = ~std::uint64_t{0};  // a size that no file has
constexpr std::size_t kBlock = 512;

class TarHeader {
 public:
  explicit TarHeader(std::span<const std::uint8_t> block) : block_(block) {}

  bool is_end() const {
    return std::ranges::all_of(block_, [](auto byte) { return byte == 0; });
  }
  /// Digits of base 8 with blanks around them.
  std::optional<std::uint64_t> number(std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    bool any = false;
    for (const char c : trimmed(text(at, size), " ")) {
      if (c < '0' || c > '7' || value >> 60U != 0) return {};
      value = value * 8 + static_cast<std::uint64_t>(c - '0');
      any = true;
    }
    return any ? std::optional(value) : std::nullopt;
  }
  std::string_view text(std::size_t at, std::size_t size) const {
    const std::string_view field(reinterpret_cast<const char*>(block_.data()) + at, size);
    return field.substr(0, field.find('\0'));
  }
  /// The sum of all bytes, those of the checksum itself as blanks.
  bool is_intact() const {
    constexpr std::size_t kAt = 148, kSize = 8;
    std::uint64_t sum = kSize * ' ';
    for (std::size_t i = 0; i < kBlock; ++i) sum += i < kAt || i >= kAt + kSize ? block_[i] : 0U;
    return number(kAt, kSize) == sum;
  }
  std::string name() const {
    const auto name = text(0, 100), before = text(345, 155);
    const bool ustar = text(257, 5) == "ustar" && text(263, 2) == "00";
    return !ustar || before.empty() ? std::string(name) : str(before, "/", name);
  }
  char type() const { return static_cast<char>(block_[156]); }
  std::optional<std::uint64_t> size() const { return number(124, 12); }

 private:
  std::span<const std::uint8_t> block_;
};

/// The value of a key in pax records, "LENGTH key=value\n" each, or nothing.
std::optional<std::string> pax_value(std::string_view records, std::string_view key) {
  std::optional<std::string> value;
  while (!records.empty()) {
    const auto blank = records.find(' ');
    const auto length = number_in<std::size_t>(records.substr(0, blank));
    if (blank == std::string_view::npos || !length || *length > records.size() || *length < blank + 2) return value;
    const auto record = records.substr(blank + 1, *length - blank - 2);
    const auto equals = record.find('=');
    if (record.substr(0, equals) == key && equals != std::string_view::npos) value = record.substr(equals + 1);
    records.remove_prefix(*length);
  }
  return value;
}

}  // namespace

std::vector<TarFile> read_tar(std::span<const std::uint8_t> archive, std::string_view name) {
  const auto damaged = [&](std::size_t at, const char* what) {
    return InputError(
        str(name, ": the tar archive is damaged (", what, " at byte ", grouped(at), "); fetch the file again"));
  };
  std::vector<TarFile> files;
  std::string long_name;                     // for the next file
  std::uint64_t another_size = kAsInHeader;  // for the next file
  for (std::size_t at = 0;;) {
    if (archive.size() - at < kBlock) throw damaged(at, "its end is missing");
    const TarHeader header(archive.subspan(at, kBlock));
    if (header.is_end()) return files;
    if (!header.is_intact())
      throw damaged(at, at == 0 ? "no header, or one with a wrong checksum," : "a wrong checksum");
    const char type = header.type();
    auto size = another_size;
    if (size == kAsInHeader) {
      const auto by_header = header.size();
      if (!by_header) throw damaged(at, "a wrong size");
      size = *by_header;
    }
    at += kBlock;
    if (size > archive.size() - at) throw damaged(at, "a file that ends early");
    const auto bytes = archive.subspan(at, size);
    at += bytes.size() + (kBlock - bytes.size() % kBlock) % kBlock;
    if (at > archive.size()) throw damaged(archive.size(), "its end is missing");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (type == 'L') {
      long_name = text.substr(0, text.find('\0'));
      continue;
    }
    if (type == 'x') {
      if (auto path = pax_value(text, "path")) long_name = std::move(*path);
      if (const auto of_pax = pax_value(text, "size"))
        another_size = number_in<std::uint64_t>(*of_pax).value_or(kAsInHeader);
      continue;
    }
    if (type == '0' || type == '\0') files.push_back({long_name.empty() ? header.name() : long_name, bytes});
    if (type != 'g' && type != 'K') {
      long_name.clear();
      another_size = kAsInHeader;
    }
  }
}

}  // namespace chalk
