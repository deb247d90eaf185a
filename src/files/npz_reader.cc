// Zip after PKWARE's APPNOTE 6.3: the end of the archive says where its directory is, that where the files are. Sizes
// and places that do not fit into 32 bits are in 64 bits elsewhere.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/array.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

constexpr std::uint64_t kElsewhere = 0xFFFFFFFF;
constexpr std::size_t kEnd = 22;  // bytes of the end, at least

/// Reads bytes that may be too few.
class NpzNumbers {
 public:
  NpzNumbers(const ByteSource& bytes, std::string_view name) : bytes_(bytes), name_(name) {}
  /// A number, least significant byte first.
  std::uint64_t operator()(std::uint64_t at, std::size_t size) const {
    std::uint64_t value = 0;
    std::array<std::uint8_t, 8> raw{};
    read(at, std::span(raw).first(size));
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{raw[i]} << 8 * i;
    return value;
  }
  std::vector<std::uint8_t> bytes(std::uint64_t at, std::uint64_t size) const {
    check(at, size);
    std::vector<std::uint8_t> raw(static_cast<std::size_t>(size));
    read(at, raw);
    return raw;
  }
  void check(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) fail_damaged_zip(name_, "it ends early");
  }

 private:
  void read(std::uint64_t at, std::span<std::uint8_t> to) const {
    check(at, to.size());
    bytes_.read(at, to);
  }

  const ByteSource& bytes_;
  std::string_view name_;
};

/// Deflated data as `size` bytes, no more.
std::vector<std::uint8_t> inflated(std::span<const std::uint8_t> packed, std::uint64_t size, std::string_view name) {
  constexpr std::size_t kChunk = std::size_t{1} << 30U;  // zlib counts in 32 bits
  if (size / 1032 > packed.size() + 1) fail_damaged_zip(name, "its size is beyond what deflate can make of it");
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error("zlib: out of memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> close(&stream, inflateEnd);
  std::vector<std::uint8_t> out(size + 1);  // one more would show that there is more
  std::size_t used = 0, made = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    stream.next_in = const_cast<Bytef*>(packed.data() + used);
    stream.avail_in = static_cast<uInt>(std::min(packed.size() - used, kChunk));
    stream.next_out = out.data() + made;
    stream.avail_out = static_cast<uInt>(std::min(out.size() - made, kChunk));
    const auto in = stream.avail_in, room = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    used += in - stream.avail_in;
    made += room - stream.avail_out;
    if (status != Z_STREAM_END && (status != Z_OK || made == out.size())) fail_damaged_zip(name, "its compressed data");
  }
  if (made != size) fail_damaged_zip(name, "its compressed data");
  out.pop_back();
  return out;
}

}  // namespace

void fail_damaged_zip(std::string_view name, std::string_view what) {
  throw InputError(str(name, ": the zip archive is damaged (", what, "); write the file again with numpy.savez"));
}

NpzReader::NpzReader(SharedBytes archive, std::string name) : archive_(std::move(archive)), name_(std::move(name)) {
  const NpzNumbers number(*archive_, name_);
  if (archive_->size() < 4 || number(0, 1) != 'P' || number(1, 1) != 'K') {
    throw InputError(str(name_, ": is no .npz file by its first bytes; write it with numpy.savez"));
  }
  if (archive_->size() < kEnd) fail_damaged_zip(name_, "it ends early");
  // The end may be followed by a comment of up to 65,535 bytes.
  const auto last = archive_->size() - kEnd;
  auto end = last;
  for (; number(end, 4) != 0x06054b50; --end) {
    if (end == 0 || last - end > 0xFFFF) fail_damaged_zip(name_, "its end is missing");
  }
  auto entries = number(end + 10, 2), at = number(end + 16, 4);
  if (entries == 0xFFFF || at == kElsewhere) {
    if (end < 20 || number(end - 20, 4) != 0x07064b50) fail_damaged_zip(name_, "its end in 64 bits is missing");
    const auto wide = number(end - 20 + 8, 8);
    if (number(wide, 4) != 0x06064b50) fail_damaged_zip(name_, "its end in 64 bits is missing");
    entries = number(wide + 32, 8);
    at = number(wide + 48, 8);
  }
  read_directory(at, entries);
}

void NpzReader::read_directory(std::uint64_t at, std::uint64_t entries) {
  constexpr std::size_t kHeader = 46;
  const NpzNumbers number(*archive_, name_);
  for (; entries > 0; --entries) {
    if (number(at, 4) != 0x02014b50) fail_damaged_zip(name_, "its directory");
    Entry entry{.method = number(at + 10, 2),
                .checksum = number(at + 16, 4),
                .packed = number(at + 20, 4),
                .size = number(at + 24, 4),
                .at = number(at + 42, 4),
                .encrypted = (number(at + 8, 2) & 1U) != 0};
    const auto name_size = number(at + 28, 2), extra_size = number(at + 30, 2), comment_size = number(at + 32, 2);
    number.check(at + kHeader + name_size + extra_size + comment_size, 0);
    const auto raw_name = number.bytes(at + kHeader, name_size);
    std::string name(raw_name.begin(), raw_name.end());
    for (auto field = at + kHeader + name_size, end = field + extra_size; field + 4 <= end;) {
      const auto size = number(field + 2, 2);
      if (number(field, 2) == 1) {
        auto next = field + 4;
        for (auto* wide : {&entry.size, &entry.packed, &entry.at}) {
          if (*wide != kElsewhere || next + 8 > field + 4 + size) continue;
          *wide = number(next, 8);
          next += 8;
        }
      }
      field += 4 + size;
    }
    at += kHeader + name_size + extra_size + comment_size;
    if (!name.ends_with(".npy")) continue;
    name.resize(name.size() - 4);
    if (entries_.emplace(name, entry).second) names_.push_back(name);
  }
}

bool NpzReader::has(std::string_view array) const { return entries_.find(array) != entries_.end(); }

NpzReader::Place NpzReader::place_of(std::string_view array) const {
  constexpr std::size_t kHeader = 30;
  const auto found = entries_.find(array);
  if (found == entries_.end()) {
    throw InputError(
        str(name_, ": has no array ", in_quotes(array), "; its arrays are ", alternatives(names_, " and ")));
  }
  Place place{str(name_, ", array ", in_quotes(array)), found->second, 0};
  const auto& [where, entry, begin] = place;
  const NpzNumbers number(*archive_, where);
  if (entry.encrypted || (entry.method != 0 && entry.method != 8)) {
    throw InputError(str(where, entry.encrypted ? ": is encrypted" : ": is compressed in a way that is not read",
                         "; write the file with numpy.savez or numpy.savez_compressed"));
  }
  if (number(entry.at, 4) != 0x04034b50) fail_damaged_zip(where, "its header");
  place.begin = entry.at + kHeader + number(entry.at + 26, 2) + number(entry.at + 28, 2);
  number.check(begin, entry.packed);
  if (entry.method == 0 && entry.size != entry.packed) fail_damaged_zip(where, "its size");
  return place;
}

Array NpzReader::read(std::string_view array) const {
  const auto [where, entry, begin] = place_of(array);
  auto bytes = NpzNumbers(*archive_, where).bytes(begin, entry.packed);
  if (entry.method != 0) bytes = inflated(bytes, entry.size, where);
  if (crc32_of(bytes) != entry.checksum) fail_damaged_zip(where, "its checksum");
  return parse_npy(bytes, where);
}

std::optional<StoredBytes> NpzReader::stored(std::string_view array) const {
  const auto [where, entry, begin] = place_of(array);
  if (entry.method != 0) return {};
  auto found = stored_bytes(archive_, begin, entry.size, where);
  if (found) found->checksum = static_cast<std::uint32_t>(entry.checksum);
  return found;
}

}  // namespace chalk
