#include "src/files/idx.h"

#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

constexpr std::uint64_t kMostBytesOfIdx = std::uint64_t{1} << 31U;
constexpr std::size_t kLongestIdxHeader = 4 + 4 * 255;

struct IdxHeader {
  std::vector<std::int64_t> extents;
  std::size_t size = 0;       // of the header, in bytes
  std::size_t data_size = 0;  // of what follows it
};

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U | bytes[3];
}

std::string hex(std::uint32_t number) {
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> static_cast<unsigned>(shift) & 15U];
  return text;
}

const char* type_name(unsigned type) {
  switch (type) {
    case 0x08:
      return "unsigned bytes";
    case 0x09:
      return "signed bytes";
    case 0x0B:
      return "16-bit integers";
    case 0x0C:
      return "32-bit integers";
    case 0x0D:
      return "32-bit floats";
    case 0x0E:
      return "64-bit floats";
    default:
      return nullptr;
  }
}

// The first four bytes: 0x00000801 for labels, 0x00000803 for images, 0x00000804 for those with channels, 0x00000C02
// for a table.
void check_magic(std::uint32_t magic, std::string_view name, IdxKind kind) {
  constexpr std::uint32_t kLabels = 0x801, kImages = 0x803, kWithChannels = 0x804, kTable = 0xC02;
  if (kind == IdxKind::images && magic == kWithChannels) return;
  if (kind == IdxKind::table) {
    if (magic == kTable) return;
    throw InputError(str(name, ": begins with ", hex(magic), ", expected ", hex(kTable),
                         " (a table of 32-bit integers); give a file of labels in QMNIST's format"));
  }
  if (kind == IdxKind::any) {
    if (magic >> 16U != 0 || type_name(magic >> 8U) == nullptr) {
      throw InputError(str(name, ": not an IDX file: begins with ", hex(magic), ", expected e.g. ", hex(kImages),
                           " (images) or ", hex(kLabels), " (labels); give a file in MNIST's format"));
    }
  }
  const auto expected = kind == IdxKind::labels ? kLabels : kImages;
  const char* what = kind == IdxKind::labels ? "labels" : "images";
  if (kind != IdxKind::any && (magic == kLabels || magic == kImages) && magic != expected) {
    throw InputError(str(name, ": begins with ", hex(magic), ", the mark of ", magic == kLabels ? "labels" : "images",
                         ", where ", what, " (", hex(expected),
                         ") were expected; the labels and images files are probably swapped"));
  }
  if (magic >> 16U == 0 && magic >> 8U != 0x08 && type_name(magic >> 8U) != nullptr) {
    throw InputError(str(name, ": holds ", type_name(magic >> 8U), " (", hex(magic),
                         "); only unsigned bytes (type 0x08) are read: convert it"));
  }
  if (kind != IdxKind::any && magic != expected) {
    throw InputError(str(name, ": begins with ", hex(magic), ", expected ", hex(expected), " (", what,
                         "); give a file in MNIST's format"));
  }
}

// `bytes` is the beginning of the data, at least kLongestIdxHeader of them unless the file is shorter.
IdxHeader parse_header(std::span<const std::uint8_t> bytes, std::string_view name, IdxKind kind) {
  if (bytes.empty()) throw InputError(str(name, ": the file is empty; fetch it again"));
  const auto need = [&](std::size_t size) {
    if (bytes.size() < size) {
      throw InputError(str(name, ": truncated: the header needs ", grouped(size), " bytes, found ",
                           grouped(bytes.size()), "; fetch the file again"));
    }
  };
  need(4);
  check_magic(big_endian(bytes), name, kind);
  const std::size_t dimensions = bytes[3];
  if (dimensions == 0) throw InputError(str(name, ": says it has 0 dimensions; give a file in MNIST's format"));
  IdxHeader header;
  header.size = 4 + 4 * dimensions;
  need(header.size);
  std::uint64_t product = 1;
  const std::uint64_t element = kind == IdxKind::table ? 4 : 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const auto extent = big_endian(bytes.subspan(4 + 4 * i));
    if (extent == 0) {
      throw InputError(str(name, ": dimension ", i + 1, " of ", dimensions,
                           " is 0, so the file holds nothing; give one with samples in it"));
    }
    header.extents.push_back(extent);
    product *= extent;  // both factors are below 2^32, so this cannot overflow before it is refused
    if (product * element > kMostBytesOfIdx) {
      throw InputError(str(name, ": the header promises more than 2 GiB of data (dimension ", i + 1, " is ",
                           grouped(extent), "); the file is damaged, or too large to be read whole"));
    }
  }
  header.data_size = product * element;
  return header;
}

}  // namespace

IdxTensor parse_idx(std::vector<std::uint8_t> bytes, std::string_view name, IdxKind kind) {
  if (is_gzip(bytes)) {
    const auto header = parse_header(gunzip(bytes, kLongestIdxHeader, name), name, kind);
    bytes = gunzip(bytes, header.size + header.data_size + 1, name);  // one more shows that there is more
  }
  auto header = parse_header(bytes, name, kind);
  if (bytes.size() - header.size != header.data_size) {
    const bool is_short = bytes.size() - header.size < header.data_size;
    throw InputError(str(name, is_short ? ": truncated: expected " : ": too long: expected ",
                         grouped(header.size + header.data_size), " bytes by its header, found ",
                         is_short ? grouped(bytes.size()) : "more", "; the file is damaged: fetch it again"));
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header.size));  // in place: it may be large
  return {std::move(header.extents), std::move(bytes)};
}

IdxTensor load_idx(const std::filesystem::path& path, IdxKind kind) {
  return parse_idx(read_file(path, kMostBytesOfIdx + kLongestIdxHeader), path.string(), kind);
}

}  // namespace chalk
