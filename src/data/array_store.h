// Samples that stay in the file of their array.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "src/base/moments.h"
#include "src/files/array.h"

namespace chalk {

class ArrayStore : public PictureStore {
 public:
  /// Reads all samples once, to know them. `sample` is the shape of one, as the network gets it; if it is of channels ×
  /// rows × columns, they may be the last axis in the file. Throws InputError if they cannot be read, or the checksum
  /// is wrong. `name` is the array's for messages.
  ArrayStore(StoredBytes stored, const Shape& sample, bool channels_last, const std::string& name);

  void read(std::uint32_t picture, std::uint8_t* to) const override;
  std::string file(std::uint32_t) const override { return {}; }  // none of its own
  std::optional<std::uint64_t> hash(std::uint32_t picture) const override { return hashes_[picture]; }
  /// Of each channel.
  const std::vector<ByteMoments>& moments() const { return moments_; }

 private:
  StoredBytes stored_;
  std::size_t each_, channels_;
  bool channels_last_;
  std::vector<std::uint64_t> hashes_;
  std::vector<ByteMoments> moments_;
};

/// Puts a sample of rows × columns × channels, `plane` pixels, as channels × rows × columns.
template <class T>
void put_channels_first(const T* from, std::size_t channels, std::size_t plane, T* to) {
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < channels; ++c) to[c * plane + i] = from[i * channels + c];
  }
}

}  // namespace chalk
