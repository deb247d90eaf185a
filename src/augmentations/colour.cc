// Brightness, contrast and colours.
#include <algorithm>
#include <cmath>

#include "src/augmentations/changes.h"

namespace chalk {
namespace {

constexpr Range kStrength{.least = 0, .most = 10};

/// f · a + (1 − f) · c in 1/65536, rounded and limited to a byte.
class Blend {
 public:
  explicit Blend(double factor) : own_(static_cast<std::int64_t>(std::floor(factor * 65536 + 0.5))) {}
  Byte operator()(std::int64_t a, std::int64_t c) const {
    return to_byte((own_ * a + (65536 - own_) * c + 32768) >> 16);
  }

 private:
  std::int64_t own_;
};

double factor(double strength, Random& random) { return between(random, std::max(0.0, 1 - strength), 1 + strength); }

std::int64_t mean_of_grey(const Picture& picture) {
  const auto area = static_cast<std::int64_t>(picture.area());
  std::int64_t sum = 0;
  if (picture.channels == 3) {
    for (std::size_t i = 0; i < picture.area(); ++i) sum += grey_of(picture, i);
    return (2 * sum + area) / (2 * area);
  }
  for (std::size_t i = 0; i < picture.size(); ++i) sum += picture.pixels[i];
  const auto size = static_cast<std::int64_t>(picture.size());
  return (2 * sum + size) / (2 * size);
}

}  // namespace

void brighten(Picture& picture, double factor) {
  const Blend mix(factor);
  for (std::size_t i = 0; i < picture.size(); ++i) picture.pixels[i] = mix(picture.pixels[i], 0);
}

void change_contrast(Picture& picture, double factor) {
  const Blend mix(factor);
  const auto mean = mean_of_grey(picture);
  for (std::size_t i = 0; i < picture.size(); ++i) picture.pixels[i] = mix(picture.pixels[i], mean);
}

void saturate(Picture& picture, double factor) {
  if (picture.channels != 3) return;
  const Blend mix(factor);
  for (std::size_t i = 0; i < picture.area(); ++i) {
    const auto grey = grey_of(picture, i);
    for (std::size_t c = 0; c < 3; ++c) picture.plane(c)[i] = mix(picture.plane(c)[i], grey);
  }
}

void sharpen(Picture& picture, double factor) {
  const Blend mix(factor);
  std::copy_n(picture.pixels, picture.size(), picture.spare);
  const auto width = picture.columns;
  for (std::size_t c = 0; c < picture.channels; ++c) {
    for (std::size_t r = 1; r + 1 < picture.rows; ++r) {
      for (std::size_t i = 1; i + 1 < width; ++i) {
        const Byte* p = picture.row(c, r) + i;
        unsigned sum = 4U * *p;
        for (const Byte* line : {p - width, p, p + width}) sum += unsigned{line[-1]} + line[0] + line[1];
        picture.spare[c * picture.area() + r * width + i] = mix(*p, (2 * sum + 13) / 26);
      }
    }
  }
  picture.take_spare();
}

void Brightness::visit(FieldVisitor& v) {
  v.field(Field("strength", kStrength, "How far the factor may be from 1").required("0.4"), strength);
}

const AugmentationDefinition augmentation_brightness{
    .name = Brightness::kName,
    .help = "Multiplied by a factor",
    .elsewhere = "torchvision ColorJitter(brightness=STRENGTH); Keras RandomBrightness adds",
    .defaults = Attributes(Brightness{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      brighten(picture, factor(parameters.as<Brightness>().strength, draws.now));
    }};

void Contrast::visit(FieldVisitor& v) {
  v.field(Field("strength", kStrength, "How far the factor may be from 1").required("0.4"), strength);
}

const AugmentationDefinition augmentation_contrast{
    .name = Contrast::kName,
    .help = "Differences from the mean of the picture in grey, multiplied by a factor",
    .elsewhere = "torchvision ColorJitter(contrast=STRENGTH); Keras RandomContrast, about the mean of each channel",
    .defaults = Attributes(Contrast{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      change_contrast(picture, factor(parameters.as<Contrast>().strength, draws.now));
    }};

void Saturation::visit(FieldVisitor& v) {
  v.field(Field("strength", kStrength, "How far the factor may be from 1").required("0.4"), strength);
}

const AugmentationDefinition augmentation_saturation{
    .name = Saturation::kName,
    .help = "Differences from the pixel in grey, multiplied by a factor",
    .elsewhere = "torchvision ColorJitter(saturation=STRENGTH); Keras RandomSaturation",
    .defaults = Attributes(Saturation{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws,
                Picture& picture) { saturate(picture, factor(parameters.as<Saturation>().strength, draws.now)); },
    .of_colour = true};

void Hue::visit(FieldVisitor& v) {
  v.field(Field("turns", Range::from_to(0, 0.5), "Of the circle of colours, at most").required("0.1"), turns);
}

namespace {

/// Hue h (0 … 1), saturation s (0 … 1) and value v (0 … 255), as in HSV, as red, green and blue: with n = 5, 3 and 1,
/// v − v · s · max(0, min(k, 4 − k, 1)), k = (n + 6h) mod 6.
double channel_of(double n, double h, double s, double v) {
  double k = n + 6 * h;
  if (k >= 6) k -= 6;
  return v - v * s * std::clamp(std::min(k, 4 - k), 0.0, 1.0);
}

void turn_hue(Picture& picture, double turns) {
  constexpr double kOf[] = {5, 3, 1};
  for (std::size_t i = 0; i < picture.area(); ++i) {
    Byte* at[] = {picture.plane(0) + i, picture.plane(1) + i, picture.plane(2) + i};
    const double r = *at[0], g = *at[1], b = *at[2];
    const double most = std::max({r, g, b}), span = most - std::min({r, g, b});
    if (span == 0) continue;
    double sixths = most == r ? (g - b) / span : most == g ? 2 + (b - r) / span : 4 + (r - g) / span;
    double h = sixths / 6 + turns;
    h -= std::floor(h);
    for (std::size_t c = 0; c < 3; ++c)
      *at[c] = to_byte(static_cast<std::int64_t>(std::floor(channel_of(kOf[c], h, span / most, most) + 0.5)));
  }
}

}  // namespace

const AugmentationDefinition augmentation_hue{
    .name = Hue::kName,
    .help = "Colours turned around the circle by up to so many turns either way",
    .elsewhere = "torchvision ColorJitter(hue=TURNS), of floats; Pillow's hue has 256 steps. Keras RandomHue",
    .defaults = Attributes(Hue{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const double turns = parameters.as<Hue>().turns;
          turn_hue(picture, between(draws.now, -turns, turns));
        },
    .of_colour = true};

void Grey::visit(FieldVisitor& v) { visit_probability(v, p); }

const AugmentationDefinition augmentation_grey{.name = Grey::kName,
                                               .help = "Without colour",
                                               .elsewhere = "torchvision RandomGrayscale; Keras RandomGrayscale",
                                               .defaults = Attributes(Grey{}),
                                               .nameless = 1,
                                               .apply =
                                                   [](const Attributes& parameters, Draws& draws, Picture& picture) {
                                                     if (!chance(draws.now, parameters.as<Grey>().p)) return;
                                                     for (std::size_t i = 0; i < picture.area(); ++i) {
                                                       const auto grey = grey_of(picture, i);
                                                       for (std::size_t c = 0; c < 3; ++c) picture.plane(c)[i] = grey;
                                                     }
                                                   },
                                               .of_colour = true};

}  // namespace chalk
