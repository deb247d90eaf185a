// Pictures with something missing.
#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation.h"
#include "src/base/text.h"

namespace chalk {

void Cutout::visit(FieldVisitor& v) {
  v.field(Field("side", Range::from_to(1, 65535), "Of the square, in pixels").required("8"), side);
  visit_fill(v, fill);
}

const AugmentationDefinition augmentation_cutout{
    .name = Cutout::kName,
    .help = "A square with its middle on any pixel is filled, as far as it is within the picture",
    .elsewhere =
        "the authors' Cutout(n_holes=1, length=SIDE), which fills with the mean and has odd sides a pixel "
        "smaller; albumentations' and Keras' squares are wholly within the picture",
    .defaults = Attributes(Cutout{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto& cutout = parameters.as<Cutout>();
          const auto part = [&](std::size_t size) {  // of an axis: where it begins and ends
            const auto middle = std::int64_t{draws.now.below(static_cast<std::uint32_t>(size))};
            const auto begin = middle - cutout.side / 2, end = begin + cutout.side;
            return std::pair(static_cast<std::size_t>(std::max<std::int64_t>(0, begin)),
                             std::min(size, static_cast<std::size_t>(end)));
          };
          const auto [top, bottom] = part(picture.rows);
          const auto [left, right] = part(picture.columns);
          fill_rectangle(picture, cutout.fill, draws.now, top, left, bottom - top, right - left);
        },
    .check_size =
        [](const Attributes& parameters, std::int64_t smaller) {
          if (const auto side = parameters.as<Cutout>().side; side > smaller)
            throw InputError(str("SIDE is ", side, "; it must be at most the smaller side of the pictures, ", smaller));
        }};

void Erase::visit(FieldVisitor& v) {
  visit_probability(v, p);
  const Range share{.least = 0, .most = 1, .without_least = true};
  v.field({"least", share, "Smallest share of the area"}, least);
  v.field({"most", share, "Largest share"}, most);
  v.field({"ratio_least", Range::from_to(0.01, 100), "Smallest height by width"}, ratio_least);
  v.field({"ratio_most", Range::from_to(0.01, 100), "Largest height by width"}, ratio_most);
  visit_fill(v, fill);
}

namespace {

std::size_t side(double squared) { return static_cast<std::size_t>(std::floor(std::sqrt(squared) + 0.5)); }

void erase(const Erase& e, Random& random, Picture& picture) {
  const auto area = static_cast<double>(picture.area());
  for (int tries = 0; tries < 10; ++tries) {
    const double share = area * between(random, e.least, e.most);
    const double ratio = between_ratios(random, e.ratio_least, e.ratio_most);
    const std::size_t height = side(share * ratio), width = side(share / ratio);
    if (height >= picture.rows || width >= picture.columns) continue;
    const auto row = random.below(static_cast<std::uint32_t>(picture.rows - height + 1));
    const auto column = random.below(static_cast<std::uint32_t>(picture.columns - width + 1));
    return fill_rectangle(picture, e.fill, random, row, column, height, width);
  }
}

}  // namespace

const AugmentationDefinition augmentation_erase{
    .name = Erase::kName,
    .help = "A rectangle within the picture is filled",
    .elsewhere =
        "torchvision RandomErasing; its \"random\" is normal noise, which is 0–3 or 252–255 in bytes. Keras "
        "RandomErasing",
    .defaults = Attributes(Erase{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto& e = parameters.as<Erase>();
          if (chance(draws.now, e.p)) erase(e, draws.now, picture);
        },
    .check =
        [](const Attributes& parameters) {
          const auto& e = parameters.as<Erase>();
          check_order("least", e.least, "most", e.most);
          check_order("ratio_least", e.ratio_least, "ratio_most", e.ratio_most);
        }};

}  // namespace chalk
