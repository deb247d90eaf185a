#include "chalkgrad/npz.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

static_assert(std::endian::native == std::endian::little, "the type strings below say little-endian");

template <class T>
std::span<const std::uint8_t> bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

// A .npy file of version 1.0: mark, length of the header in 16 bits, a Python dictionary, spaces up to a multiple
// of 64.
std::string npy_header(const Shape& shape, const char* type) {
  std::string extents;
  for (const auto extent : shape) extents += std::to_string(extent) + ", ";
  std::string text = str("{'descr': '", type, "', 'fortran_order': False, 'shape': (", extents, "), }");
  constexpr std::size_t kBefore = 10;
  text.resize((kBefore + text.size() + 1 + 63) / 64 * 64 - kBefore, ' ');
  text.back() = '\n';
  std::string header = "\x93NUMPY\x01";
  header += '\0';
  header += static_cast<char>(text.size() & 0xFFU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

void check_name(const std::string& name) {
  const bool plain =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; });
  const auto parts = "/" + name + "/";  // "/../" and "//" also catch a leading or trailing slash
  if (plain && !name.empty() && name.size() < 60000 && parts.find("//") == std::string::npos &&
      parts.find("/../") == std::string::npos && parts.find("/./") == std::string::npos) {
    return;
  }
  throw InputError(str("npz: an array cannot be called ", in_quotes(name), "; use a name like conv1 or conv1/W"));
}

/// Numbers of 16, 32 and 64 bits, least significant byte first, as zip has them.
class ZipBytes {
 public:
  explicit ZipBytes(std::size_t expected) { bytes_.reserve(expected); }
  std::size_t size() const { return bytes_.size(); }
  ZipBytes& u16(std::size_t number) { return append(&number, 2); }
  ZipBytes& u32(std::size_t number) { return append(&number, 4); }
  ZipBytes& u64(std::size_t number) { return append(&number, 8); }
  ZipBytes& append(const void* from, std::size_t count) {
    const auto* first = static_cast<const std::uint8_t*>(from);
    bytes_.insert(bytes_.end(), first, first + count);
    return *this;
  }
  std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

// An archive of stored files, after PKWARE's APPNOTE 6.3: the files, each behind a header; a directory of them; its
// end. What is too large for a field of 32 bits has all bits set there and is in 64 bits elsewhere.
class StoredZip {
 public:
  StoredZip(std::size_t expected, std::size_t most) : out_(expected), most_(most) {}

  void add(const std::string& name, std::span<const std::uint8_t> bytes) {
    const Entry entry{name, bytes.size(), crc32_z(0, bytes.data(), bytes.size()), out_.size()};
    const bool wide = entry.size >= most_;
    out_.u32(0x04034b50).u16(version(wide));
    description(entry, wide, wide ? 20 : 0).append(name.data(), name.size());
    if (wide) out_.u16(1).u16(16).u64(entry.size).u64(entry.size);
    out_.append(bytes.data(), bytes.size());
    entries_.push_back(entry);
  }

  std::vector<std::uint8_t> take() && {
    const auto directory = out_.size(), count = entries_.size();
    for (const auto& entry : entries_) {
      const bool wide = entry.size >= most_ || entry.at >= most_;
      out_.u32(0x02014b50).u16(version(wide)).u16(version(wide));
      description(entry, wide, wide ? 28 : 0);
      out_.u16(0).u16(0).u16(0).u32(0).u32(wide ? kElsewhere : entry.at);  // comment, disk, attributes, place
      out_.append(entry.name.data(), entry.name.size());
      if (wide) out_.u16(1).u16(24).u64(entry.size).u64(entry.size).u64(entry.at);
    }
    const auto end = out_.size(), size = end - directory;
    const bool wide = directory >= most_ || size >= most_ || count >= 0xffff;
    if (wide) {
      out_.u32(0x06064b50).u64(44).u16(version(wide)).u16(version(wide)).u32(0).u32(0);
      out_.u64(count).u64(count).u64(size).u64(directory);
      out_.u32(0x07064b50).u32(0).u64(end).u32(1);
    }
    out_.u32(0x06054b50).u16(0).u16(0).u16(wide ? 0xffff : count).u16(wide ? 0xffff : count);
    out_.u32(wide ? kElsewhere : size).u32(wide ? kElsewhere : directory).u16(0);
    return std::move(out_).take();
  }

 private:
  struct Entry {
    std::string name;
    std::size_t size, crc, at;
  };
  static constexpr std::size_t kElsewhere = 0xffffffff;
  static std::size_t version(bool wide) { return wide ? 45 : 20; }

  /// What a file's header and its line in the directory have in common: a name in UTF-8, stored at midnight of
  /// 1 January 1980.
  ZipBytes& description(const Entry& entry, bool wide, std::size_t extra) {
    constexpr std::size_t utf8 = 1U << 11U, stored = 0, midnight = 0, first_of_1980 = 1U << 5U | 1U;
    const auto size = wide ? kElsewhere : entry.size;
    out_.u16(utf8).u16(stored).u16(midnight).u16(first_of_1980);
    return out_.u32(entry.crc).u32(size).u32(size).u16(entry.name.size()).u16(extra);
  }

  ZipBytes out_;
  std::size_t most_;
  std::vector<Entry> entries_;
};

}  // namespace

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const float> values) {
  add(name, shape, "<f4", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const double> values) {
  add(name, shape, "<f8", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const std::int64_t> values) {
  add(name, shape, "<i8", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, const char* type, std::size_t count,
                    std::span<const std::uint8_t> bytes) {
  check_name(name);
  constexpr std::size_t kMostDimensions = 64;  // of NumPy
  const bool possible = shape.size() <= kMostDimensions && std::ranges::none_of(shape, [](auto n) { return n < 0; });
  if (!possible || static_cast<std::size_t>(elements(shape)) != count) {
    throw InputError(str("npz: array ", in_quotes(name), " of shape ", to_string(shape), " has ", grouped(count),
                         " values; give one for each element"));
  }
  const auto header = npy_header(shape, type);
  std::vector<std::uint8_t> file(header.begin(), header.end());
  file.insert(file.end(), bytes.begin(), bytes.end());
  if (!files_.emplace(name, std::move(file)).second) {
    throw InputError(str("npz: array ", in_quotes(name), " was added twice; give every array its own name"));
  }
}

std::vector<std::uint8_t> NpzWriter::serialize(std::size_t most) const {
  std::size_t expected = 128;
  for (const auto& [name, bytes] : files_) expected += 2 * name.size() + bytes.size() + 256;
  StoredZip zip(expected, most);
  for (const auto& [name, bytes] : files_) zip.add(name + ".npy", bytes);
  return std::move(zip).take();
}

void NpzWriter::save(const std::filesystem::path& path) const { write_file_atomically(path, serialize()); }

}  // namespace chalk
