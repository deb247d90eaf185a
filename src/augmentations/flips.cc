// Pictures mirrored.
#include <algorithm>

#include "src/augmentations/augmentation.h"

namespace chalk {
namespace {

void flip(Picture& picture) {
  for (std::size_t r = 0; r < picture.channels * picture.rows; ++r) {
    Byte* row = picture.row(0, r);
    std::reverse(row, row + picture.columns);
  }
}

void flip_vertically(Picture& picture) {
  for (std::size_t c = 0; c < picture.channels; ++c) {
    for (std::size_t r = 0; r < picture.rows / 2; ++r) {
      Byte* row = picture.row(c, r);
      std::swap_ranges(row, row + picture.columns, picture.row(c, picture.rows - 1 - r));
    }
  }
}

/// As often as it is mirrored in training.
template <class T>
double weight(const Attributes& parameters, std::size_t number) {
  const double p = parameters.as<T>().p;
  return number == 0 ? 1 - p : p;
}

constexpr TestViews kFlipped{2, weight<Flip>, [](const Attributes&, std::size_t, Picture& picture) { flip(picture); }};
constexpr TestViews kFlippedVertically{
    2, weight<VerticalFlip>, [](const Attributes&, std::size_t, Picture& picture) { flip_vertically(picture); }};

}  // namespace

void Flip::visit(FieldVisitor& v) { visit_probability(v, p); }

const AugmentationDefinition augmentation_flip{
    .name = Flip::kName,
    .help = "Mirrored left to right",
    .elsewhere = "torchvision RandomHorizontalFlip; Keras RandomFlip(\"horizontal\")",
    .defaults = Attributes(Flip{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          if (chance(draws.now, parameters.as<Flip>().p)) flip(picture);
        },
    .views = &kFlipped};

void VerticalFlip::visit(FieldVisitor& v) { visit_probability(v, p); }

const AugmentationDefinition augmentation_vflip{
    .name = VerticalFlip::kName,
    .help = "Mirrored top to bottom",
    .elsewhere = "torchvision RandomVerticalFlip; Keras RandomFlip(\"vertical\")",
    .defaults = Attributes(VerticalFlip{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          if (chance(draws.now, parameters.as<VerticalFlip>().p)) flip_vertically(picture);
        },
    .views = &kFlippedVertically};

const AugmentationDefinition augmentation_alternating_flip{
    .name = AlternatingFlip::kName,
    .help = "Mirrored left to right in every second epoch, half of the samples in each",
    .elsewhere = "airbench's alternating flip",
    .defaults = Attributes(AlternatingFlip{}),
    .nameless = 0,
    .apply = [](const Attributes&, Draws& draws, Picture& picture) {
      if ((draws.always.below(2) + draws.epoch) % 2 == 1) flip(picture);
    }};

}  // namespace chalk
