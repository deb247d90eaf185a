#include "src/data/normalise.h"

#include <cmath>

#include "src/data/each_sample.h"

namespace chalk {
namespace {

struct Sums {
  std::uint64_t once = 0, squared = 0;
};

}  // namespace

void normalise(Split& split) {
  const auto& train = split.train.has_bytes() ? split.train : split.test;
  const auto channels = static_cast<std::size_t>(train.sample.empty() ? 1 : train.sample[0]);
  const auto plane = static_cast<std::size_t>(elements(train.sample)) / channels;
  std::vector<Sums> sums(channels);
  std::size_t per_channel = 0;
  for_each_sample(train, [&](std::size_t, std::span<const std::uint8_t> sample) {
    per_channel += plane;
    for (std::size_t c = 0; c < channels; ++c) {
      for (const std::uint64_t byte : sample.subspan(c * plane, plane)) {
        sums[c].once += byte;
        sums[c].squared += byte * byte;
      }
    }
  });
  const auto count = static_cast<double>(per_channel);
  std::vector<float> scale, shift;
  for (const auto& sum : sums) {
    const double mean = static_cast<double>(sum.once) / count;
    const double variance = static_cast<double>(sum.squared) / count - mean * mean;
    const double deviation = variance > 0 ? std::sqrt(variance) : 255.0;
    scale.push_back(static_cast<float>(1.0 / deviation));
    shift.push_back(static_cast<float>(-mean / deviation));
  }
  for (auto* data : {&split.train, &split.test}) {
    data->scale = scale;
    data->shift = shift;
  }
}

}  // namespace chalk
