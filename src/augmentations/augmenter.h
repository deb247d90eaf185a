// Samples of a data set as they are trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chalkgrad/data.h"
#include "src/augmentations/augmentation.h"
#include "src/augmentations/picture_memory.h"

namespace chalk {

class Augmenter {
 public:
  /// For up to so many threads at a time; more of them wait for each other. The data must outlive it. Throws InputError
  /// as Augmentations::check() does.
  Augmenter(const Dataset& data, const Augmentations& augmentations, std::uint64_t seed, int threads);

  /// Writes the sample of a row, as it is in an epoch (0, 1, …). Allocates nothing, unless it is of a file. May be
  /// called by any thread.
  void augment(std::uint32_t row, std::uint64_t epoch, Byte* to) const;
  /// Whether samples, and so targets, are mixed with others.
  bool mixes() const { return !mixers_.empty(); }
  /// Whether each sample has to be decoded for it.
  bool of_files() const { return of_file_ != nullptr; }
  /// Writes the sample's target, a distribution over the classes if the data have labels. Allocates nothing.
  void target(std::uint32_t row, std::uint64_t epoch, float* to) const;

 private:
  struct Step {
    const AugmentationDefinition* definition;
    Attributes parameters;
    std::uint64_t key;  // of its random numbers
  };
  struct Mixture;

  Picture picture_at(Byte* pixels, Byte* spare) const;
  /// Writes the sample as it is before the first of the steps that are left.
  void begin(std::uint32_t row, std::uint64_t epoch, Byte* to) const;
  /// Writes the sample as it is before it is mixed.
  void augment_alone(std::uint32_t row, std::uint64_t epoch, Byte* to, Byte* spare) const;
  /// How a sample is mixed; with no mixer if it is not.
  Mixture mixture(std::uint32_t row, std::uint64_t epoch) const;

  const Dataset& data_;
  const std::size_t size_;
  std::vector<Step> steps_, mixers_;
  const FilePart* of_file_ = nullptr;  // of the first step, if it is done to the file's picture
  std::vector<Byte> means_;
  mutable PictureMemory memory_;
};

}  // namespace chalk
