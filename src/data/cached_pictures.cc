#include "src/data/cached_pictures.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file_in_making.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/decoder_versions.h"
#include "src/files/picture_cache.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

/// A cache that is open for reading. Others may replace it meanwhile: what is open stays.
class OpenCache {
 public:
  /// Nothing if there is no such file. Throws InputError as the readers of its format do.
  static std::shared_ptr<const OpenCache> open(const fs::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return nullptr;
    if (file < 0) {
      throw InputError(str(path.string(), ": cannot be read: ", std::generic_category().message(errno),
                           "; give another file for the cache"));
    }
    auto cache = std::make_shared<OpenCache>(path, file);
    cache->load();
    return cache;
  }
  OpenCache(const fs::path& path, int file) : name_(path.string()), file_(file) {}
  ~OpenCache() { ::close(file_); }
  OpenCache(const OpenCache&) = delete;
  OpenCache& operator=(const OpenCache&) = delete;

  const PictureCache& contents() const { return contents_; }

  /// Throws InputError if the picture is not what was written.
  void read(std::size_t part, std::uint32_t picture, std::uint8_t* to) const {
    const auto each = static_cast<std::size_t>(contents_.each());
    const std::span bytes(to, each);
    const auto at = (part == 0 ? 0 : contents_.parts[0].pictures) + picture;
    if (!read_at(file_, PictureCache::kData + at * each, bytes))
      throw InputError(str(name_, ": picture ", at, " cannot be read: the cache is damaged; remove it"));
    if (cache_hash(contents_, bytes) != contents_.parts[part].hashes[picture])
      throw InputError(str(name_, ": picture ", at, " has been changed: the cache is damaged; remove it"));
  }

 private:
  void load() {
    struct stat about {};
    if (::fstat(file_, &about) != 0 || !S_ISREG(about.st_mode))
      throw InputError(str(name_, ": is no file; give another one for the cache"));
    const auto size = static_cast<std::uint64_t>(about.st_size);
    std::vector<std::uint8_t> head(std::min<std::uint64_t>(size, PictureCache::kHead));
    const auto read = [&](std::uint64_t offset, std::span<std::uint8_t> to) {
      if (!read_at(file_, offset, to))
        throw InputError(str(name_, ": cannot be read; give another file for the cache"));
    };
    read(0, head);
    contents_ = read_cache_head(head, size, name_);
    std::vector<std::uint8_t> tail(static_cast<std::size_t>(contents_.tail));
    read(contents_.tail_begin(), tail);
    read_cache_tail(contents_, head, tail, name_);
  }

  std::string name_;
  int file_;
  PictureCache contents_;
};

/// One part of a cache.
class CacheStore : public PictureStore {
 public:
  CacheStore(std::shared_ptr<const OpenCache> cache, std::size_t part, std::shared_ptr<const PictureIndex> files)
      : cache_(std::move(cache)), part_(part), files_(std::move(files)) {}
  void read(std::uint32_t picture, std::uint8_t* to) const override { cache_->read(part_, picture, to); }
  std::string file(std::uint32_t picture) const override { return files_->path(picture); }
  std::optional<std::uint64_t> hash(std::uint32_t picture) const override {
    if (cache_->contents().version == 1) return {};
    return cache_->contents().parts[part_].hashes[picture];
  }

 private:
  std::shared_ptr<const OpenCache> cache_;
  std::size_t part_;
  std::shared_ptr<const PictureIndex> files_;
};

/// What the decoded pictures of these files depend on, apart from the form. A file that is not there has no size.
CacheKey key_of(const PictureIndex& files, const PictureDecoder& decoder) {
  constexpr std::uint64_t kDecoding = 1;  // goes up if a picture is decoded to other bytes than before
  Sha256 hash;
  hash.update(kDecoding).update(decoder_versions()).update(std::uint64_t{decoder.background()});
  if (decoder.form().fit != Fit::stretch) hash.update(static_cast<std::uint64_t>(decoder.form().fit));
  const auto here = fs::current_path().string() + "/";
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto path = files.path(i);
    if (!path.starts_with('/')) hash.update(here);
    struct stat about {};
    const bool there = ::stat(path.c_str(), &about) == 0;
    hash.update(path).update(std::uint64_t{0});
    hash.update(there ? static_cast<std::uint64_t>(about.st_size) : ~std::uint64_t{0});
    hash.update(static_cast<std::uint64_t>(about.st_mtim.tv_sec));
    hash.update(static_cast<std::uint64_t>(about.st_mtim.tv_nsec));
  }
  const auto hex = hash.hex();
  CacheKey key{};
  const auto digit = [](char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) << 4U | digit(hex[2 * i + 1]));
  return key;
}

using Keys = std::array<CacheKey, 2>;

/// Which part of a cache each part is; a part without files is none. Nothing if a part is not there.
std::optional<std::array<std::size_t, 2>> parts_in(const PictureCache& cache, const PictureFiles& files,
                                                   const Keys& keys) {
  std::array<std::size_t, 2> found{};
  for (std::size_t p = 0; p < files.size(); ++p) {
    if (files[p]->size() == 0) continue;
    const auto& parts = cache.parts;
    const auto same = std::ranges::find_if(
        parts, [&](const CachedPart& part) { return part.pictures == files[p]->size() && part.key == keys[p]; });
    if (same == parts.end()) return {};
    found[p] = static_cast<std::size_t>(same - parts.begin());
  }
  return found;
}

/// Whether the pictures would be decoded to this form now. What is not asked for follows from the pictures.
bool has_form(const PictureCache& cache, const PictureDecoder& decoder, bool any_size) {
  const auto& form = decoder.form();
  if (form.channels_are_given ? static_cast<std::uint32_t>(form.channels) != cache.channels : cache.channels_asked)
    return false;
  const std::array<std::uint32_t, 2> size{cache.rows, cache.columns};
  if (form.size_is_given) {
    return std::array{static_cast<std::uint32_t>(form.size[0]), static_cast<std::uint32_t>(form.size[1])} == size;
  }
  bool first = true;
  for (const auto& part : cache.parts) {
    for (std::size_t i = 0; i < part.sizes.size(); ++i) {
      if (part.errors.contains(i)) continue;
      if (part.sizes[i] != size && (first || !any_size)) return false;
      first = false;
    }
  }
  return true;
}

DecodedPart decoded_of(const CachedPart& part) {
  DecodedPart decoded;
  for (const auto& [rows, columns] : part.sizes)
    decoded.sizes.push_back({static_cast<int>(rows), static_cast<int>(columns)});
  for (const auto& [at, why] : part.errors) decoded.errors.emplace(at, why);
  decoded.channels = part.moments;
  return decoded;
}

/// Decodes everything into a file that is being made.
void make(FileInMaking& file, const PictureFiles& files, const Keys& keys, PictureDecoder& decoder, ThreadTeam& team) {
  decoder.decide(files);
  PictureCache cache;
  const auto decode = [&] {
    const auto& form = decoder.form();
    cache.channels = static_cast<std::uint32_t>(form.channels);
    cache.rows = static_cast<std::uint32_t>(form.size[0]);
    cache.columns = static_cast<std::uint32_t>(form.size[1]);
    for (std::size_t p = 0; p < files.size(); ++p) {
      auto& part = cache.parts[p];
      part = {};
      part.pictures = files[p]->size();
      part.key = keys[p];
      part.hashes.resize(files[p]->size());
      part.moments.resize(cache.channels);
    }
    file.begin(cache.tail_begin());
    for (std::size_t p = 0; p < files.size(); ++p) {
      auto& part = cache.parts[p];
      const auto first = p == 0 ? 0 : cache.parts[0].pictures;
      const auto put = [&](int, std::size_t i, std::span<const std::uint8_t> sample) {
        part.hashes[i] = cache_hash(cache, sample);
        file.write(PictureCache::kData + (first + i) * cache.each(), sample);
      };
      const auto decoded = decoder.decode(*files[p], team, put);
      if (!decoded) return false;
      for (const auto& [rows, columns] : decoded->sizes)
        part.sizes.push_back({static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(columns)});
      for (const auto& [at, why] : decoded->errors) part.errors.emplace(at, why);
      part.moments = decoded->channels;
    }
    return true;
  };
  while (!decode()) {
  }
  cache.channels_asked = decoder.form().channels_are_given;
  const auto tail = cache_tail(cache);
  file.write(cache.tail_begin(), tail);
  file.write(0, cache_head(cache, tail));
  file.finish();
}

}  // namespace

CachedPictures cached_pictures(const fs::path& path, const PictureFiles& files, PictureDecoder& decoder, bool skip_bad,
                               ThreadTeam& team) {
  const Keys keys{key_of(*files[0], decoder), key_of(*files[1], decoder)};
  const bool any_size = decoder.any_size();
  CachedPictures result;
  std::shared_ptr<const OpenCache> cache;
  std::optional<std::array<std::size_t, 2>> places;
  std::string why = "it is not there yet";
  const auto look = [&] {
    cache.reset();
    try {
      cache = OpenCache::open(path);
    } catch (const InputError& e) {
      std::vector<std::uint8_t> mark(16);
      const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      const bool is_one = file >= 0 && read_at(file, 0, mark) && is_picture_cache(mark);
      if (file >= 0) ::close(file);
      if (!is_one) throw;  // something else, which must not be destroyed
      why = e.what();
    }
    if (!cache) return false;
    places = parts_in(cache->contents(), files, keys);
    why = "it was made of other files, or of these before they were changed";
    if (!places) return false;
    why = "its pictures have another size or other channels";
    return has_form(cache->contents(), decoder, any_size);
  };
  bool found = look();
  if (!found) {
    FileInMaking file(path);
    found = look();  // another program may have made it meanwhile
    if (!found) {
      make(file, files, keys, decoder, team);
      result.remarks.push_back(str("the cache ", path.string(), " was made: ", why));
      cache = OpenCache::open(path);
      places = std::array<std::size_t, 2>{0, 1};
    }
  }
  if (found) result.remarks.push_back(str("from the cache ", path.string()));
  const auto& contents = cache->contents();
  decoder.set_form(static_cast<int>(contents.channels),
                   {static_cast<int>(contents.rows), static_cast<int>(contents.columns)});
  for (std::size_t p = 0; p < files.size(); ++p) {
    if (files[p]->size() == 0) continue;
    result.parts[p] = decoded_of(contents.parts[(*places)[p]]);
    if (!skip_bad && !result.parts[p].errors.empty()) throw InputError(result.parts[p].errors.begin()->second);
  }
  for (std::size_t p = 0; p < files.size(); ++p)
    result.stores[p] = std::make_shared<CacheStore>(cache, (*places)[p], files[p]);
  return result;
}

}  // namespace chalk
