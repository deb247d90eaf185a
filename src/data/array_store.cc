#include "src/data/array_store.h"

#include <algorithm>
#include <utility>

#include "src/base/xxh64.h"
#include "src/data/each_sample.h"
#include "src/files/gzip.h"

namespace chalk {

ArrayStore::ArrayStore(StoredBytes stored, const Shape& sample, bool channels_last, const std::string& name)
    : stored_(std::move(stored)),
      each_(static_cast<std::size_t>(elements(sample))),
      channels_(static_cast<std::size_t>(sample[0])),
      channels_last_(channels_last),
      moments_(channels_) {
  constexpr std::size_t kPiece = 4 << 20;  // bytes that are read at once
  const auto samples = static_cast<std::size_t>(stored_.shape[0]), some = items_in(kPiece, each_, samples);
  const auto plane = each_ / channels_;
  std::vector<std::uint8_t> piece(static_cast<std::size_t>(stored_.at - stored_.begin)), turned(each_);
  stored_.source->read(stored_.begin, piece);
  auto checksum = crc32_of(piece);
  hashes_.reserve(samples);
  for (std::size_t first = 0; first < samples; first += some) {
    piece.resize(std::min(some, samples - first) * each_);
    stored_.source->read(stored_.at + first * each_, piece);
    if (stored_.checksum) checksum = crc32_of(piece, checksum);
    for (std::size_t i = 0; i < piece.size(); i += each_) {
      if (channels_last) put_channels_first(&piece[i], channels_, plane, turned.data());
      const auto* found = channels_last ? turned.data() : &piece[i];
      hashes_.push_back(xxh64({found, each_}));
      for (std::size_t c = 0; c < channels_; ++c) moments_[c].add(found + c * plane, plane);
    }
  }
  if (stored_.checksum && checksum != *stored_.checksum) fail_damaged_zip(name, "its checksum");
}

void ArrayStore::read(std::uint32_t picture, std::uint8_t* to) const {
  const auto at = stored_.at + std::uint64_t{picture} * each_;
  if (!channels_last_) return stored_.source->read(at, {to, each_});
  std::vector<std::uint8_t> found(each_);
  stored_.source->read(at, found);
  put_channels_first(found.data(), channels_, each_ / channels_, to);
}

}  // namespace chalk
