// Pictures mixed with others, and their targets with them.
#include <algorithm>
#include <cmath>

#include "src/augmentations/augmentation.h"
#include "src/base/power.h"

namespace chalk {
namespace {

void visit_mixing(FieldVisitor& v, double& alpha, double& p) {
  v.field({"alpha", Range::from_to(0.05, 4), "λ is drawn from Beta(alpha, alpha)"}, alpha);
  v.field({"p", Range::from_to(0, 1), "How probable it is that a sample is mixed"}, p);
}

/// Of Beta(alpha, alpha): Jöhnk 1964.
double beta(Random& random, double alpha) {
  if (alpha == 1) return random.uniform();
  for (;;) {
    const double x = real_power(random.uniform(), 1 / alpha), y = real_power(random.uniform(), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

}  // namespace

void Mixup::visit(FieldVisitor& v) { visit_mixing(v, alpha, p); }

const AugmentationDefinition augmentation_mixup{
    .name = Mixup::kName,
    .help = "λ · picture + (1 − λ) · another one, and the targets likewise",
    .elsewhere =
        "torchvision MixUp(alpha=ALPHA), timm Mixup(mixup_alpha=ALPHA), of a batch with itself and one λ; Keras "
        "MixUp, which must not be given class numbers",
    .defaults = Attributes(Mixup{}),
    .nameless = 1,
    .apply = nullptr,
    .mix =
        [](const Attributes& parameters, Random& random, Picture& picture, const Byte* other) {
          const double lambda = beta(random, parameters.as<Mixup>().alpha);
          const auto own = static_cast<std::int64_t>(std::floor(lambda * 65536 + 0.5));
          for (std::size_t i = 0; other && i < picture.size(); ++i)
            picture.pixels[i] = static_cast<Byte>((own * picture.pixels[i] + (65536 - own) * other[i] + 32768) >> 16);
          return static_cast<double>(own) / 65536;
        },
    .p = [](const Attributes& parameters) { return parameters.as<Mixup>().p; }};

void Cutmix::visit(FieldVisitor& v) { visit_mixing(v, alpha, p); }

namespace {

struct Interval {
  std::size_t begin, end;
};

/// Of an axis: the part of it that is the other's.
Interval interval(Random& random, double share, std::size_t size) {
  const auto half = static_cast<std::int64_t>(0.5 * std::sqrt(share) * static_cast<double>(size));
  const auto middle = std::int64_t{random.below(static_cast<std::uint32_t>(size))};
  return {static_cast<std::size_t>(std::max<std::int64_t>(0, middle - half)),
          std::min(size, static_cast<std::size_t>(middle + half))};
}

}  // namespace

const AugmentationDefinition augmentation_cutmix{
    .name = Cutmix::kName,
    .help = "A rectangle of another picture, whose share of the target is that of the pixels",
    .elsewhere =
        "torchvision CutMix(alpha=ALPHA), timm Mixup(cutmix_alpha=ALPHA), of a batch with itself and one "
        "rectangle; Keras CutMix, whose rectangle is never clipped",
    .defaults = Attributes(Cutmix{}),
    .nameless = 1,
    .apply = nullptr,
    .mix =
        [](const Attributes& parameters, Random& random, Picture& picture, const Byte* other) {
          const double share = 1 - beta(random, parameters.as<Cutmix>().alpha);
          const auto columns = interval(random, share, picture.columns), rows = interval(random, share, picture.rows);
          const auto width = columns.end - columns.begin, height = rows.end - rows.begin;
          for (std::size_t c = 0; other && c < picture.channels; ++c) {
            for (std::size_t r = rows.begin; r < rows.end; ++r) {
              const auto at = c * picture.area() + r * picture.columns + columns.begin;
              std::copy_n(other + at, width, picture.pixels + at);
            }
          }
          return 1 - static_cast<double>(width * height) / static_cast<double>(picture.area());
        },
    .p = [](const Attributes& parameters) { return parameters.as<Cutmix>().p; }};

}  // namespace chalk
