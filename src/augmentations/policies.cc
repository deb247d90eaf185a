// Operations drawn from a list: RandAugment and TrivialAugment.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/augmentations/changes.h"
#include "src/augmentations/resample.h"

namespace chalk {
namespace {

/// How far operations go at most.
struct Reach {
  double tangent, degrees, factor;
  double share, pixels;  // of the side, and besides
  std::int64_t bits;     // that are taken away
};
constexpr Reach kRand{.tangent = 0.3, .degrees = 30, .factor = 0.9, .share = 150.0 / 331, .pixels = 0, .bits = 4};
constexpr Reach kTrivial{.tangent = 0.99, .degrees = 135, .factor = 0.99, .share = 0, .pixels = 32, .bits = 6};

constexpr std::int64_t kMost = 30;  // of magnitudes

/// One operation on one picture.
struct Call {
  Picture& picture;
  const Reach& reach;
  std::int64_t magnitude;  // 0 … kMost
  int sign;                // of those that have one
  Fill fill;
  Random& random;

  double of(double most) const { return sign * most * static_cast<double>(magnitude) / double{kMost}; }
  std::int64_t pixels(std::size_t side) const {
    return static_cast<std::int64_t>(of(reach.share * static_cast<double>(side) + reach.pixels));
  }
};

// A place half a pixel from the middle of the outermost one is that of the corner.
void shear_x(const Call& call) {
  const double k = call.of(call.reach.tangent);
  resample_nearest(call.picture, {.xy = k, .x0 = 0.5 * k}, call.fill, call.random);
}
void shear_y(const Call& call) {
  const double k = call.of(call.reach.tangent);
  resample_nearest(call.picture, {.yx = k, .y0 = 0.5 * k}, call.fill, call.random);
}
void translate_x(const Call& call) {
  move(call.picture, 0, -call.pixels(call.picture.columns), call.fill, call.random);
}
void translate_y(const Call& call) { move(call.picture, -call.pixels(call.picture.rows), 0, call.fill, call.random); }
void rotate(const Call& call) {
  const auto d = direction(call.of(call.reach.degrees));
  const auto placement = Placement::about_middle(call.picture, d.cosine, -d.sine, d.sine, d.cosine);
  resample_nearest(call.picture, placement, call.fill, call.random);
}
void brightness(const Call& call) { brighten(call.picture, 1 + call.of(call.reach.factor)); }
void colour(const Call& call) { saturate(call.picture, 1 + call.of(call.reach.factor)); }
void contrast(const Call& call) { change_contrast(call.picture, 1 + call.of(call.reach.factor)); }
void sharpness(const Call& call) { sharpen(call.picture, 1 + call.of(call.reach.factor)); }

/// Each byte through a table.
template <class Table>
void look_up(Byte* from, std::size_t count, const Table& table) {
  std::transform(from, from + count, from, [&](Byte byte) { return table[byte]; });
}
template <class Of>
std::array<Byte, 256> table_of(Of of) {
  std::array<Byte, 256> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<Byte>(of(i));
  return table;
}

void posterize(const Call& call) {
  const auto taken = (2 * call.reach.bits * call.magnitude + kMost) / (2 * kMost);  // rounded
  const auto kept = 0xFFU << taken & 0xFFU;
  look_up(call.picture.pixels, call.picture.size(), table_of([&](std::size_t i) { return i & kept; }));
}

void solarize(const Call& call) {
  const auto least = static_cast<std::size_t>(255 * (kMost - call.magnitude));  // in 1/30
  look_up(call.picture.pixels, call.picture.size(),
          table_of([&](std::size_t i) { return i * kMost >= least ? 255 - i : i; }));
}

void autocontrast(const Call& call) {
  const auto area = call.picture.area();
  for (std::size_t c = 0; c < call.picture.channels; ++c) {
    Byte* plane = call.picture.plane(c);
    const auto [low, high] = std::minmax_element(plane, plane + area);
    const std::size_t least = *low, span = std::size_t{*high} - least;
    if (span == 0) continue;
    look_up(plane, area,
            table_of([&](std::size_t i) { return (510 * (std::max(i, least) - least) + span) / (2 * span); }));
  }
}

/// As Pillow has it.
void equalize(const Call& call) {
  const auto area = call.picture.area();
  for (std::size_t c = 0; c < call.picture.channels; ++c) {
    Byte* plane = call.picture.plane(c);
    std::array<std::size_t, 256> counts{};
    for (std::size_t i = 0; i < area; ++i) ++counts[plane[i]];
    const auto last = *std::find_if(counts.rbegin(), counts.rend(), [](std::size_t n) { return n > 0; });
    const std::size_t step = (area - last) / 255;
    if (step == 0) continue;
    std::size_t before = step / 2;
    look_up(plane, area, table_of([&](std::size_t i) {
              const auto level = std::min<std::size_t>(before / step, 255);
              before += counts[i];
              return level;
            }));
  }
}

void identity(const Call&) {}

struct Operation {
  bool has_sign;
  void (*apply)(const Call& call);
};
constexpr std::array<Operation, 14> kOperations{{{false, identity},
                                                 {true, shear_x},
                                                 {true, shear_y},
                                                 {true, translate_x},
                                                 {true, translate_y},
                                                 {true, rotate},
                                                 {true, brightness},
                                                 {true, colour},
                                                 {true, contrast},
                                                 {true, sharpness},
                                                 {false, posterize},
                                                 {false, solarize},
                                                 {false, autocontrast},
                                                 {false, equalize}}};

void apply_any(Picture& picture, const Reach& reach, std::int64_t magnitude, Fill fill, Random& random) {
  const auto& operation = kOperations[random.below(kOperations.size())];
  const int sign = operation.has_sign && random.below(2) == 1 ? -1 : 1;
  operation.apply({picture, reach, magnitude, sign, fill, random});
}

}  // namespace

void RandAugment::visit(FieldVisitor& v) {
  v.field({"operations", Range::from_to(1, 14), "How many, one after the other"}, operations);
  v.field({"magnitude", Range::from_to(0, double{kMost}), "How strong they are, in thirtieths"}, magnitude);
  visit_fill(v, fill);
}

const AugmentationDefinition augmentation_randaugment{
    .name = RandAugment::kName,
    .help = "So many of fourteen operations, each drawn from all of them",
    .elsewhere =
        "torchvision RandAugment(OPERATIONS, MAGNITUDE); timm's and Keras' magnitudes are of 10, kornia's m = 15 "
        "changes nothing",
    .defaults = Attributes(RandAugment{}),
    .nameless = 2,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      const auto& rand = parameters.as<RandAugment>();
      for (std::int64_t i = 0; i < rand.operations; ++i)
        apply_any(picture, kRand, rand.magnitude, rand.fill, draws.now);
    }};

void TrivialAugment::visit(FieldVisitor& v) { visit_fill(v, fill); }

const AugmentationDefinition augmentation_trivialaugment{
    .name = TrivialAugment::kName,
    .help = "One of these operations, of any strength",
    .elsewhere = "torchvision TrivialAugmentWide",
    .defaults = Attributes(TrivialAugment{}),
    .nameless = 0,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      const auto magnitude = std::int64_t{draws.now.below(kMost + 1)};
      apply_any(picture, kTrivial, magnitude, parameters.as<TrivialAugment>().fill, draws.now);
    }};

}  // namespace chalk
