#include "src/data/normalise.h"

#include <cmath>

namespace chalk {
namespace {

struct Sums {
  std::uint64_t once = 0, squared = 0;
};

}  // namespace

void normalise(Split& split) {
  const auto& train = split.train.bytes.empty() ? split.test : split.train;
  const auto channels = static_cast<std::size_t>(train.sample.empty() ? 1 : train.sample[0]);
  const auto plane = static_cast<std::size_t>(elements(train.sample)) / channels;
  std::vector<Sums> sums(channels);
  for (std::size_t begin = 0, c = 0; begin < train.bytes.size(); begin += plane, c = (c + 1) % channels) {
    Sums sum;
    for (std::size_t i = begin; i < begin + plane; ++i) {
      const std::uint64_t byte = train.bytes[i];
      sum.once += byte;
      sum.squared += byte * byte;
    }
    sums[c].once += sum.once;
    sums[c].squared += sum.squared;
  }
  const auto per_channel = train.bytes.size() / channels;
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
