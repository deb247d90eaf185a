// The views of a picture that test-time augmentation looks at.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "src/augmentations/augmentation.h"
#include "src/augmentations/picture_memory.h"

namespace chalk {

class Views {
 public:
  /// All that the list makes of pictures of this shape: each augmentation shows all of its views of each view of those
  /// before it. For up to so many threads at a time. Throws InputError as Augmentations::check_views() does, and for
  /// samples that are no pictures.
  Views(const Augmentations& list, const Shape& sample, int threads);

  std::size_t size() const { return views_.size(); }
  /// How much it counts; they sum to 1, none is 0.
  double weight(std::size_t view) const { return views_[view].weight; }
  /// Makes the view of the picture. `means`: Fill::mean of each channel. Allocates nothing; may be called by any
  /// thread.
  void show(std::size_t view, std::span<const Byte> means, Byte* pixels) const;

 private:
  struct View {
    double weight = 1;
    std::vector<std::size_t> numbers;  // of each augmentation's
  };
  Augmentations list_;
  Shape sample_;
  std::vector<View> views_;
  mutable PictureMemory memory_;
};

}  // namespace chalk
