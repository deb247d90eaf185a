#include "src/files/picture_cache.h"

#include <nettle/sha2.h>

#include <algorithm>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/xxh64.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

constexpr std::string_view kCacheMark = "chalkgrad cache\n";
constexpr std::uint32_t kVersion = 2, kOldest = 1;
constexpr std::uint64_t kMostPictures = 0xFFFFFFFF;                           // of both parts: their places are 32 bits
constexpr std::uint32_t kLongest = 65536, kMostBytesOfPicture = 300'000'000;  // of a side; of a picture
constexpr std::size_t kTailSum = 128, kHeadSum = 160;                         // where they are in the head

using Bytes = std::vector<std::uint8_t>;
using Sum = std::array<std::uint8_t, 32>;

Sum sha256_of(std::span<const std::uint8_t> bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), bytes.data());
  Sum sum{};
  sha256_digest(&context, sum.size(), sum.data());
  return sum;
}

[[noreturn]] void fail(std::string_view name, std::string_view what) {
  throw InputError(str(name, ": ", what, "; the cache is damaged: remove it"));
}

class Writer {
 public:
  template <class T>
  Writer& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
    return *this;
  }
  Writer& raw(std::span<const std::uint8_t> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  Bytes bytes;
};

class CacheReader {
 public:
  CacheReader(std::span<const std::uint8_t> bytes, std::string_view name) : rest_(bytes), name_(name) {}

  std::span<const std::uint8_t> raw(std::uint64_t size) {
    if (size > rest_.size()) fail(name_, "it ends early");
    const auto taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  template <class T>
  T number() {
    T value = 0;
    std::size_t shift = 0;
    for (const auto byte : raw(sizeof(T))) {
      value |= static_cast<T>(T{byte} << shift);
      shift += 8;
    }
    return value;
  }
  std::size_t left() const { return rest_.size(); }

 private:
  std::span<const std::uint8_t> rest_;
  std::string_view name_;
};

}  // namespace

bool is_picture_cache(std::span<const std::uint8_t> head) {
  return head.size() >= kCacheMark.size() && std::equal(kCacheMark.begin(), kCacheMark.end(), head.begin());
}

PictureCache read_cache_head(std::span<const std::uint8_t> head, std::uint64_t size, std::string_view name) {
  if (!is_picture_cache(head)) throw InputError(str(name, ": is no cache of pictures; give another file"));
  if (head.size() < PictureCache::kHead) fail(name, "it ends early");
  CacheReader reader(head.subspan(kCacheMark.size()), name);
  PictureCache cache;
  cache.version = reader.number<std::uint32_t>();
  if (cache.version < kOldest || cache.version > kVersion) {
    throw InputError(str(name, ": is a cache in version ", cache.version, " of its format, and this program knows ",
                         kVersion, "; remove it, or give another file"));
  }
  const auto sum = sha256_of(head.first(kHeadSum));
  if (!std::equal(sum.begin(), sum.end(), head.begin() + kHeadSum)) fail(name, "its beginning has been changed");
  cache.channels = reader.number<std::uint32_t>();
  cache.rows = reader.number<std::uint32_t>();
  cache.columns = reader.number<std::uint32_t>();
  cache.channels_asked = reader.number<std::uint32_t>() != 0;
  reader.number<std::uint32_t>();
  for (auto& part : cache.parts) part.pictures = reader.number<std::uint64_t>();
  for (auto& part : cache.parts) std::ranges::copy(reader.raw(part.key.size()), part.key.begin());
  cache.tail = reader.number<std::uint64_t>();
  const auto side = [](std::uint32_t extent) { return extent >= 1 && extent <= kLongest; };
  if ((cache.channels != 1 && cache.channels != 3) || !side(cache.rows) || !side(cache.columns) ||
      cache.each() > kMostBytesOfPicture)
    fail(name, "its pictures have an impossible size");
  if (cache.parts[0].pictures > kMostPictures || cache.parts[1].pictures > kMostPictures - cache.parts[0].pictures)
    fail(name, "it has too many pictures");
  if (size < cache.tail_begin() || size - cache.tail_begin() != cache.tail)
    fail(name, str("it has ", size, " bytes instead of ", cache.tail_begin() + cache.tail));
  return cache;
}

void read_cache_tail(PictureCache& cache, std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail,
                     std::string_view name) {
  const auto sum = sha256_of(tail);
  if (!std::equal(sum.begin(), sum.end(), head.begin() + kTailSum)) fail(name, "its end has been changed");
  CacheReader reader(tail, name);
  const bool first = cache.version == 1;
  for (auto& part : cache.parts) {
    if (part.pictures > reader.left() / (first ? 12 : 16)) fail(name, "it ends early");
    const auto count = static_cast<std::size_t>(part.pictures);
    part.hashes.resize(count);
    for (auto& one : part.hashes) one = first ? reader.number<std::uint32_t>() : reader.number<std::uint64_t>();
    part.sizes.resize(count);
    for (auto& [rows, columns] : part.sizes) {
      rows = reader.number<std::uint32_t>();
      columns = reader.number<std::uint32_t>();
      if (rows > kLongest * 2000 || columns > kLongest * 2000) fail(name, "a picture has an impossible size");
    }
    for (auto errors = reader.number<std::uint64_t>(); errors > 0; --errors) {
      const auto at = reader.number<std::uint64_t>();
      const auto why = reader.raw(reader.number<std::uint32_t>());
      if (at >= part.pictures) fail(name, "it names a picture that it does not have");
      if (!part.errors.empty() && at <= part.errors.rbegin()->first) fail(name, "it names pictures out of order");
      part.errors[at] = std::string(why.begin(), why.end());
    }
    for (std::uint32_t c = 0; c < cache.channels && !first; ++c) {
      auto& moments = part.moments.emplace_back();
      for (auto* number : {&moments.once, &moments.squared, &moments.count}) *number = reader.number<std::uint64_t>();
      for (auto* byte : {&moments.least, &moments.most}) *byte = reader.number<std::uint8_t>();
    }
  }
  if (reader.left() > 0) fail(name, "it goes on behind its end");
}

PictureCache parse_picture_cache(std::span<const std::uint8_t> file, std::string_view name) {
  auto cache = read_cache_head(file.first(std::min(file.size(), PictureCache::kHead)), file.size(), name);
  read_cache_tail(cache, file, file.subspan(static_cast<std::size_t>(cache.tail_begin())), name);
  return cache;
}

std::vector<std::uint8_t> cache_tail(PictureCache& cache) {
  Writer writer;
  for (const auto& part : cache.parts) {
    for (const auto hash : part.hashes)
      cache.version == 1 ? writer.number(static_cast<std::uint32_t>(hash)) : writer.number(hash);
    for (const auto& [rows, columns] : part.sizes) writer.number(rows).number(columns);
    writer.number(std::uint64_t{part.errors.size()});
    for (const auto& [at, why] : part.errors) {
      writer.number(at).number(static_cast<std::uint32_t>(why.size()));
      writer.raw({reinterpret_cast<const std::uint8_t*>(why.data()), why.size()});
    }
    for (const auto& m : part.moments)
      writer.number(m.once).number(m.squared).number(m.count).number(m.least).number(m.most);
  }
  cache.tail = writer.bytes.size();
  return std::move(writer.bytes);
}

std::vector<std::uint8_t> cache_head(const PictureCache& cache, std::span<const std::uint8_t> tail) {
  Writer writer;
  writer.raw({reinterpret_cast<const std::uint8_t*>(kCacheMark.data()), kCacheMark.size()});
  writer.number(cache.version).number(cache.channels).number(cache.rows).number(cache.columns);
  writer.number(std::uint32_t{cache.channels_asked}).number(std::uint32_t{0});
  for (const auto& part : cache.parts) writer.number(part.pictures);
  for (const auto& part : cache.parts) writer.raw(part.key);
  writer.number(cache.tail).raw(sha256_of(tail));
  writer.raw(sha256_of(writer.bytes));
  return std::move(writer.bytes);
}

std::uint64_t cache_hash(const PictureCache& cache, std::span<const std::uint8_t> picture) {
  return cache.version == 1 ? crc32_of(picture) : xxh64(picture);
}

}  // namespace chalk
