#include "src/data/pictures.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/base/wording.h"
#include "src/base/xxh64.h"
#include "src/data/beyond_memory.h"
#include "src/data/cached_pictures.h"
#include "src/data/normalise.h"
#include "src/data/picture_decoder.h"

namespace chalk {
namespace {

/// Files that are decoded whenever they are needed.
class FileStore : public PictureStore {
 public:
  /// `hashes` may be empty, as far as anybody knows.
  FileStore(std::shared_ptr<const PictureIndex> files, const PictureDecoder& decoder, std::vector<std::uint64_t> hashes)
      : files_(std::move(files)), decoder_(decoder), hashes_(std::move(hashes)) {}
  void read(std::uint32_t picture, std::uint8_t* to) const override { decoder_.read(files_->path(picture), to); }
  std::string file(std::uint32_t picture) const override { return files_->path(picture); }
  std::optional<std::uint64_t> hash(std::uint32_t picture) const override {
    return hashes_.empty() ? std::nullopt : std::optional(hashes_[picture]);
  }
  void read_part(std::uint32_t picture, const Choose& choose, std::uint8_t* to) const override {
    decoder_.read_part(files_->path(picture), choose, to);
  }

 private:
  std::shared_ptr<const PictureIndex> files_;
  PictureDecoder decoder_;
  std::vector<std::uint64_t> hashes_;
};

/// The set on its way.
class Loader {
 public:
  Loader(Split& split, PictureFiles files, const PictureOptions& own, const LoadOptions& options)
      : split_(split), files_(std::move(files)), decoder_(own, options), options_(options) {}

  void load() {
    if (!options_.cache.empty()) {
      load_from_cache();
    } else {
      decoder_.decide(files_);
      while (!decode()) {
      }
    }
    for (auto& [size, found] : sizes_) split_.sizes.push_back(std::move(found));
    std::ranges::stable_sort(split_.sizes, std::ranges::greater(), &PictureSize::samples);
    split_.fit = decoder_.form().fit;
    if (split_.train.size() + split_.test.size() > 0)
      normalise(split_, options_.normalisation.value_or(Normalisation()), channels_);
  }

 private:
  std::array<Dataset*, 2> parts() { return {&split_.train, &split_.test}; }

  /// Into memory if there is room. False if the form turned out to be another one.
  bool decode() {
    const auto each = decoder_.form().each();
    const auto count = static_cast<std::uint64_t>(files_[0]->size() + files_[1]->size());
    const auto streams = beyond_memory(count * each, options_);
    std::array<std::vector<std::uint8_t>, 2> bytes;
    std::array<std::vector<std::uint64_t>, 2> hashes;  // of what is not kept
    std::array<DecodedPart, 2> decoded;
    for (std::size_t p = 0; p < files_.size(); ++p) {
      streams ? hashes[p].resize(files_[p]->size()) : bytes[p].resize(files_[p]->size() * each);
      const auto put = [&](int, std::size_t i, std::span<const std::uint8_t> sample) {
        if (streams)
          hashes[p][i] = xxh64(sample);
        else
          std::ranges::copy(sample, &bytes[p][i * each]);
      };
      auto part = decoder_.decode(*files_[p], team_, put);
      if (!part) return false;
      decoded[p] = std::move(*part);
    }
    for (std::size_t p = 0; p < files_.size(); ++p) {
      take(p, decoded[p], std::move(hashes[p]));
      if (streams) {
        parts()[p]->store = parts()[p]->originals;
      } else {
        keep(p, std::move(bytes[p]));
      }
    }
    if (streams) {
      split_.remarks.push_back(str(grouped(count), " pictures ", *streams, ": each is decoded whenever it is needed"));
    }
    return true;
  }

  void load_from_cache() {
    auto found = cached_pictures(options_.cache, files_, decoder_, options_.skip_bad, team_);
    std::ranges::move(found.remarks, std::back_inserter(split_.remarks));
    for (std::size_t p = 0; p < files_.size(); ++p) {
      take(p, found.parts[p], {});
      if (!parts()[p]->labels.empty()) parts()[p]->store = found.stores[p];
    }
  }

  /// What is known of those that can be used, and why the others cannot be.
  void take(std::size_t p, const DecodedPart& decoded, std::vector<std::uint64_t> hashes) {
    auto& part = *parts()[p];
    const auto& form = decoder_.form();
    part.sample = {form.channels, form.size[0], form.size[1]};
    for (std::size_t i = 0; i < files_[p]->size(); ++i) {
      if (decoded.errors.contains(i)) continue;
      auto& size = sizes_[decoded.sizes[i]];
      if (size.samples++ == 0) size = {decoded.sizes[i][0], decoded.sizes[i][1], 1, files_[p]->path(i)};
      part.labels.push_back(files_[p]->label(i));
      part.places.push_back(static_cast<std::uint32_t>(i));
    }
    for (const auto& [i, what] : decoded.errors) split_.skipped.push_back(what);
    channels_[p] = decoded.channels;
    if (!part.labels.empty()) part.originals = std::make_shared<FileStore>(files_[p], decoder_, std::move(hashes));
  }

  /// Keeps those that can be used in memory.
  void keep(std::size_t p, std::vector<std::uint8_t> bytes) {
    auto& part = *parts()[p];
    const auto each = decoder_.form().each();
    for (std::size_t i = 0; i < part.places.size(); ++i) {
      if (part.places[i] != i) std::copy_n(&bytes[part.places[i] * each], each, &bytes[i * each]);
    }
    bytes.resize(part.places.size() * each);
    part.bytes = std::move(bytes);
  }

  Split& split_;
  PictureFiles files_;
  PictureDecoder decoder_;
  const LoadOptions& options_;
  ThreadTeam team_{available_threads()};
  std::map<PixelSize, PictureSize> sizes_;
  KnownMoments channels_;
};

}  // namespace

void PictureOptions::visit_pictures(FieldVisitor& v) {
  v.field(
      {"size", [](const std::string& text) { read_pixel_size(text); },
       "what all pictures are brought to: `32`, or `32x48` for 32 rows of 48 (without it, all must have one size, or "
       "a model's)"},
      size);
  v.field({"channels",
           [](const std::string& text) {
             if (text != "1" && text != "3") throw InputError(str("must be 1 or 3, not ", in_quotes(text)));
           },
           "`1`, grey, or `3`, colour (without it, 1 if all pictures are grey, or a model's)"},
          channels);
  v.field({"background",
           [](const std::string& text) {
             if (!colour_in(text)) {
               throw InputError(str("must be white, black or RRGGBB such as ffcc00, not ", in_quotes(text)));
             }
           },
           "what transparent pictures lie on: `white`, `black` or RRGGBB"},
          background);
  v.field({"fit",
           [](const std::string& text) {
             if (text != "stretch" && text != "crop")
               throw InputError(str("must be stretch or crop, not ", in_quotes(text)));
           },
           "how pictures of another shape are brought to the size: `stretch`, each axis by itself, or `crop`, the "
           "largest part in the middle that has its aspect ratio (without it, a model's, or `stretch`)"},
          fit);
}

void load_pictures(Split& split, PictureIndex train, PictureIndex test, const PictureOptions& own,
                   const LoadOptions& options) {
  PictureFiles files;
  for (auto [from, to] : {std::pair(&train, &files[0]), std::pair(&test, &files[1])}) {
    from->fit();
    *to = std::make_shared<const PictureIndex>(std::move(*from));
  }
  Loader(split, std::move(files), own, options).load();
}

}  // namespace chalk
