// Pictures turned, scaled, slanted, and parts of them.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/augmentations/resample.h"
#include "src/base/power.h"

namespace chalk {

void Rotate::visit(FieldVisitor& v) {
  v.field(Field("degrees", Range::from_to(0, 180), "By how much at most").required("15"), degrees);
  visit_fill(v, fill);
}

const AugmentationDefinition augmentation_rotate{
    .name = Rotate::kName,
    .help = "Turned about the middle by up to so many degrees either way",
    .elsewhere =
        "torchvision RandomRotation(DEGREES, interpolation=BILINEAR), whose default is the nearest pixel; "
        "Keras RandomRotation, in turns",
    .defaults = Attributes(Rotate{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      const auto& rotate = parameters.as<Rotate>();
      const auto d = direction(between(draws.now, -rotate.degrees, rotate.degrees));
      // What is to the right of the middle, (1, 0), goes up for 90°: what was there is shown by (0, −1).
      const auto placement = Placement::about_middle(picture, d.cosine, -d.sine, d.sine, d.cosine);
      resample(picture, placement, rotate.fill, draws.now);
    }};

void Scale::visit(FieldVisitor& v) {
  v.field({"least", Range::from_to(0.1, 10), "Smallest factor"}, least);
  v.field({"most", Range::from_to(0.1, 10), "Largest factor"}, most);
  visit_fill(v, fill);
}

const AugmentationDefinition augmentation_scale{
    .name = Scale::kName,
    .help = "Larger about the middle by a factor between the two",
    .elsewhere =
        "torchvision RandomAffine(0, scale=(LEAST, MOST)); Keras RandomZoom, whose factors are by how much the "
        "view grows",
    .defaults = Attributes(Scale{}),
    .nameless = 2,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto& scale = parameters.as<Scale>();
          const double step = 1 / between(draws.now, scale.least, scale.most);
          resample(picture, Placement::about_middle(picture, step, 0, 0, step), scale.fill, draws.now);
        },
    .check =
        [](const Attributes& parameters) {
          const auto& scale = parameters.as<Scale>();
          check_order("least", scale.least, "most", scale.most);
        }};

void Shear::visit(FieldVisitor& v) {
  v.field(Field("degrees", Range::from_to(0, 80), "By how much at most").required("10"), degrees);
  visit_fill(v, fill);
}

const AugmentationDefinition augmentation_shear{
    .name = Shear::kName,
    .help = "Rows slanted to the right or left about the middle by up to so many degrees",
    .elsewhere = "torchvision RandomAffine(0, shear=DEGREES); RandAugment's shear is about the corner",
    .defaults = Attributes(Shear{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      const auto& shear = parameters.as<Shear>();
      const auto d = direction(between(draws.now, -shear.degrees, shear.degrees));
      resample(picture, Placement::about_middle(picture, 1, -d.sine / d.cosine, 0, 1), shear.fill, draws.now);
    }};

void ResizedCrop::visit(FieldVisitor& v) {
  const Range share{.least = 0, .most = 1, .without_least = true};
  v.field({"least", share, "Smallest share of the area"}, least);
  v.field({"most", share, "Largest share"}, most);
  v.field({"ratio_least", Range::from_to(0.01, 100), "Smallest width by height"}, ratio_least);
  v.field({"ratio_most", Range::from_to(0.01, 100), "Largest width by height"}, ratio_most);
  static constexpr std::array<Word, 2> kOf{{{"sample"}, {"file"}}};
  auto index = static_cast<std::size_t>(of);
  v.choice(
      {"of", Range{}, "What it is a part of: the sample, or the picture as it is in its file, which may be larger"},
      kOf, index);
  of = static_cast<Of>(index);
}

namespace {

std::size_t rounded(double x) { return static_cast<std::size_t>(std::floor(std::max(x, 1.0) + 0.5)); }

/// The largest part in the middle whose ratio is in the range, for when no part has been found.
Part middle_of(std::size_t rows, std::size_t columns, const ResizedCrop& crop) {
  const auto height = static_cast<double>(rows), width = static_cast<double>(columns);
  Part part{0, 0, rows, columns};
  if (width / height < crop.ratio_least) part.rows = std::min(rows, rounded(width / crop.ratio_least));
  if (width / height > crop.ratio_most) part.columns = std::min(columns, rounded(height * crop.ratio_most));
  part.row = (rows - part.rows) / 2;
  part.column = (columns - part.columns) / 2;
  return part;
}

/// Of a picture of so many rows and columns.
Part part_of(std::size_t all_rows, std::size_t all_columns, const ResizedCrop& crop, Random& random) {
  const auto area = static_cast<double>(all_rows * all_columns);
  for (int tries = 0; tries < 10; ++tries) {
    const double share = area * between(random, crop.least, crop.most);
    const double ratio = between_ratios(random, crop.ratio_least, crop.ratio_most);
    const std::size_t rows = rounded(std::sqrt(share / ratio)), columns = rounded(std::sqrt(share * ratio));
    if (rows > all_rows || columns > all_columns) continue;
    const auto row = random.below(static_cast<std::uint32_t>(all_rows - rows + 1));
    return {row, random.below(static_cast<std::uint32_t>(all_columns - columns + 1)), rows, columns};
  }
  return middle_of(all_rows, all_columns, crop);
}

constexpr FilePart kPartOfFile{
    [](const Attributes& parameters) { return parameters.as<ResizedCrop>().of == ResizedCrop::Of::file; },
    [](const Attributes& parameters, Random& random, std::int64_t rows, std::int64_t columns) {
      const auto part = part_of(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                                parameters.as<ResizedCrop>(), random);
      const auto pixels = [](std::size_t number) { return static_cast<std::int64_t>(number); };
      return PicturePart{pixels(part.row), pixels(part.column), pixels(part.rows), pixels(part.columns)};
    }};

}  // namespace

const AugmentationDefinition augmentation_resized_crop{
    .name = ResizedCrop::kName,
    .help = "A part of the picture fills it",
    .elsewhere = "torchvision RandomResizedCrop(size, scale=(LEAST, MOST)); Keras RandomResizedCrop",
    .defaults = Attributes(ResizedCrop{}),
    .nameless = 2,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto part = part_of(picture.rows, picture.columns, parameters.as<ResizedCrop>(), draws.now);
          // Middles of pixels: those of the part at (i + ½) · columns of it / columns of the picture − ½.
          const double x = static_cast<double>(part.columns) / static_cast<double>(picture.columns);
          const double y = static_cast<double>(part.rows) / static_cast<double>(picture.rows);
          resample_part(picture,
                        {.xx = x,
                         .x0 = static_cast<double>(part.column) + 0.5 * x - 0.5,
                         .yy = y,
                         .y0 = static_cast<double>(part.row) + 0.5 * y - 0.5},
                        part);
        },
    .of_file = &kPartOfFile,
    .check =
        [](const Attributes& parameters) {
          const auto& crop = parameters.as<ResizedCrop>();
          check_order("least", crop.least, "most", crop.most);
          check_order("ratio_least", crop.ratio_least, "ratio_most", crop.ratio_most);
        }};

}  // namespace chalk
