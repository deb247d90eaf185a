#include <algorithm>
#include <array>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation.h"
#include "src/base/fields.h"
#include "src/base/power.h"
#include "src/base/text.h"

namespace chalk {
namespace {

constexpr std::array kDefinitions{
#define CHALK_AUGMENTATION(name) &augmentation_##name,
#include "src/augmentations/augmentations.inc"
#undef CHALK_AUGMENTATION
};

}  // namespace

std::span<const AugmentationDefinition* const> all_augmentations() { return kDefinitions; }

std::span<const std::string_view> Augmentations::names() {
  static const auto names = [] {
    std::array<std::string_view, kDefinitions.size()> all;
    std::ranges::transform(kDefinitions, all.begin(), [](const auto* d) { return d->name.value; });
    return all;
  }();
  return names;
}

const AugmentationDefinition& definition_of(const Augmentation& augmentation) {
  return **std::ranges::find(kDefinitions, augmentation.name(), [](const auto* d) { return d->name.value; });
}

bool is_of_file(const Augmentation& augmentation) {
  const auto* of_file = definition_of(augmentation).of_file;
  return of_file && of_file->wanted(augmentation.parameters());
}

void visit_probability(FieldVisitor& v, double& p) { v.field({"p", Range::from_to(0, 1), "How probable it is"}, p); }

void visit_fill(FieldVisitor& v, Fill& fill) {
  static constexpr std::array<Word, 4> kWords{
      {{"black", "0"}, {"white", "255"}, {"mean", "the data's, of each channel"}, {"noise", "random bytes"}}};
  auto index = static_cast<std::size_t>(fill);
  v.choice({"fill", Range{}, "What comes there: black, white, mean (the data's, of each channel) or noise"}, kWords,
           index);
  fill = static_cast<Fill>(index);
}

void check_order(std::string_view least_name, double least, std::string_view most_name, double most) {
  if (least > most)
    throw InputError(
        str(least_name, " is ", least, " and ", most_name, " ", most, "; the second must not be below the first"));
}

double between_ratios(Random& random, double least, double most) {
  return least * real_power(most / least, random.uniform());
}

Byte mean_byte(float scale, float shift) {
  const double mean = -static_cast<double>(shift) / static_cast<double>(scale);
  return std::isfinite(mean) ? static_cast<Byte>(std::clamp(std::floor(mean + 0.5), 0.0, 255.0)) : Byte{0};
}

void draw_bytes(Random& random, Byte* to, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 4) {
    auto bits = random.bits();
    for (std::size_t k = i; k < std::min(i + 4, count); ++k, bits >>= 8) to[k] = static_cast<Byte>(bits & 0xFF);
  }
}

Byte fill_byte(const Picture& picture, Fill fill, Random& random, std::size_t channel) {
  switch (fill) {
    case Fill::black:
      return 0;
    case Fill::white:
      return 255;
    case Fill::mean:
      return picture.means[channel];
    case Fill::noise:
      return static_cast<Byte>(random.bits() >> 24);
  }
  return 0;
}

void fill_rectangle(Picture& picture, Fill fill, Random& random, std::size_t row, std::size_t column, std::size_t rows,
                    std::size_t columns) {
  for (std::size_t c = 0; c < picture.channels; ++c) {
    const Byte byte = fill == Fill::noise ? Byte{0} : fill_byte(picture, fill, random, c);
    for (std::size_t r = row; r < row + rows; ++r) {
      Byte* to = picture.row(c, r) + column;
      if (fill == Fill::noise)
        draw_bytes(random, to, columns);
      else
        std::fill_n(to, columns, byte);
    }
  }
}

}  // namespace chalk
