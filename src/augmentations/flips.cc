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

}  // namespace

void Flip::visit(FieldVisitor& v) { visit_probability(v, p); }

const AugmentationDefinition augmentation_flip{
    .name = Flip::kName,
    .help = "Mirrored left to right",
    .elsewhere = "torchvision RandomHorizontalFlip; Keras RandomFlip(\"horizontal\")",
    .defaults = Attributes(Flip{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      if (chance(draws.now, parameters.as<Flip>().p)) flip(picture);
    }};

void VerticalFlip::visit(FieldVisitor& v) { visit_probability(v, p); }

const AugmentationDefinition augmentation_vflip{
    .name = VerticalFlip::kName,
    .help = "Mirrored top to bottom",
    .elsewhere = "torchvision RandomVerticalFlip; Keras RandomFlip(\"vertical\")",
    .defaults = Attributes(VerticalFlip{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      if (!chance(draws.now, parameters.as<VerticalFlip>().p)) return;
      for (std::size_t c = 0; c < picture.channels; ++c) {
        for (std::size_t r = 0; r < picture.rows / 2; ++r) {
          Byte* row = picture.row(c, r);
          std::swap_ranges(row, row + picture.columns, picture.row(c, picture.rows - 1 - r));
        }
      }
    }};

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
