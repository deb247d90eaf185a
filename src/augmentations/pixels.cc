// Noise and blur.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/augmentations/augmentation.h"
#include "src/base/power.h"

namespace chalk {

void Noise::visit(FieldVisitor& v) {
  v.field({"deviation", Range::from_to(0, 1), "Standard deviation; 1 is the way from black to white"}, deviation);
}

const AugmentationDefinition augmentation_noise{
    .name = Noise::kName,
    .help = "Normal noise, another one for each pixel and channel",
    .elsewhere = "torchvision GaussianNoise(sigma=DEVIATION); Keras GaussianNoise, of what enters the network",
    .defaults = Attributes(Noise{}),
    .nameless = 1,
    .apply = [](const Attributes& parameters, Draws& draws, Picture& picture) {
      const double deviation = 255 * parameters.as<Noise>().deviation;
      std::array<double, 256> normal;
      for (std::size_t begin = 0; begin < picture.size(); begin += normal.size()) {
        const auto count = std::min(normal.size(), picture.size() - begin);
        draws.now.normal(std::span(normal).first(count));
        for (std::size_t i = 0; i < count; ++i) {
          Byte& byte = picture.pixels[begin + i];
          byte = to_byte(static_cast<std::int64_t>(std::floor(byte + deviation * normal[i] + 0.5)));
        }
      }
    }};

void Blur::visit(FieldVisitor& v) {
  const Range sigma{.least = 0, .most = 10, .without_least = true};
  v.field({"least", sigma, "Smallest σ, in pixels"}, least);
  v.field({"most", sigma, "Largest σ"}, most);
}

namespace {

constexpr std::size_t kMostRadius = 30;

/// Weights of the pixels 0, 1, …, `radius` away: 1/65536 each, all of them together 1.
struct Weights {
  std::size_t radius;
  std::array<std::int64_t, kMostRadius + 1> of{};
};

/// exp(−x) for x >= 0.
double falling(double x) { return real_power(0.36787944117144233, x); }

Weights weights(double sigma) {
  Weights w{.radius = static_cast<std::size_t>(std::clamp(std::floor(3 * sigma + 0.5), 1.0, double{kMostRadius}))};
  std::array<double, kMostRadius + 1> gauss;
  double sum = 0;
  for (std::size_t i = 0; i <= w.radius; ++i) {
    const double x = static_cast<double>(i) / sigma;
    gauss[i] = falling(0.5 * x * x);
    sum += i == 0 ? 1 : 2 * gauss[i];
  }
  w.of[0] = 65536;
  for (std::size_t i = 1; i <= w.radius; ++i) {
    w.of[i] = static_cast<std::int64_t>(std::floor(gauss[i] / sum * 65536 + 0.5));
    w.of[0] -= 2 * w.of[i];
  }
  return w;
}

/// Which of `size` pixels is at `i`, as by Border::reflect, as often as needed.
std::size_t reflected(std::int64_t i, std::size_t size) {
  if (size == 1) return 0;
  const auto period = static_cast<std::int64_t>(2 * size - 2);
  i = (i % period + period) % period;
  return static_cast<std::size_t>(std::min(i, period - i));
}

/// Folds lines of `size` pixels that are `apart` from each other in memory.
void fold(const Weights& w, const Byte* from, Byte* to, std::size_t size, std::size_t apart) {
  for (std::size_t i = 0; i < size; ++i) {
    auto sum = w.of[0] * from[i * apart] + 32768;
    if (i >= w.radius && i + w.radius < size) {  // where nothing is reflected
      for (std::size_t k = 1; k <= w.radius; ++k) sum += w.of[k] * (from[(i - k) * apart] + from[(i + k) * apart]);
      to[i * apart] = static_cast<Byte>(sum >> 16);
      continue;
    }
    const auto at = static_cast<std::int64_t>(i);
    for (std::size_t k = 1; k <= w.radius; ++k) {
      const auto away = static_cast<std::int64_t>(k);
      sum += w.of[k] * (from[reflected(at - away, size) * apart] + from[reflected(at + away, size) * apart]);
    }
    to[i * apart] = static_cast<Byte>(sum >> 16);
  }
}

}  // namespace

const AugmentationDefinition augmentation_blur{
    .name = Blur::kName,
    .help = "Blurred by a Gaussian whose σ is between the two",
    .elsewhere = "torchvision GaussianBlur(kernel_size, sigma=(LEAST, MOST)); Keras RandomGaussianBlur",
    .defaults = Attributes(Blur{}),
    .nameless = 2,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto& blur = parameters.as<Blur>();
          const auto w = weights(between(draws.now, blur.least, blur.most));
          for (std::size_t c = 0; c < picture.channels; ++c) {
            for (std::size_t i = 0; i < picture.columns; ++i)
              fold(w, picture.plane(c) + i, picture.spare + c * picture.area() + i, picture.rows, picture.columns);
          }
          picture.take_spare();
          for (std::size_t r = 0; r < picture.channels * picture.rows; ++r)
            fold(w, picture.row(0, r), picture.spare + r * picture.columns, picture.columns, 1);
          picture.take_spare();
        },
    .check =
        [](const Attributes& parameters) {
          const auto& blur = parameters.as<Blur>();
          check_order("least", blur.least, "most", blur.most);
        }};

}  // namespace chalk
