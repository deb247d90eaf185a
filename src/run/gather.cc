#include "src/run/gather.h"

#include "src/base/aligned.h"

namespace chalk {

Gatherer::Gatherer(const Plan& plan) : inputs_(plan.inputs.size()) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i].shape = plan.inputs[i].type.shape;
}

void Gatherer::feed(std::size_t input, const Feed& feed) {
  auto& [shape, samples] = inputs_[input];
  const auto size = static_cast<std::size_t>(elements(shape));
  if (feed.values) {
    samples = ValueSamples{feed.values, size};
  } else if (feed.labels) {
    samples = LabelSamples{feed.labels, size};
  } else {
    const auto channels = shape.empty() ? std::size_t{1} : static_cast<std::size_t>(shape[0]);
    samples = ByteSamples{feed.bytes, channels, size / channels, feed.scale, feed.shift};
  }
}

void Gatherer::gather(const Phase::Gather& gather, const Microbatch& microbatch, float* to) const {
  const Input& input = inputs_[gather.input];
  const auto apart = AlignedFloats::round(static_cast<std::size_t>(elements(input.shape)));
  std::visit(
      [&](const auto& samples) {
        if (microbatch.alone) return samples.one(microbatch.rows[0], to);
        if (!gather.rows) return samples.lanes(microbatch.rows, to);
        for (int n = 0; n < microbatch.valid; ++n)
          samples.one(microbatch.rows[n], to + static_cast<std::size_t>(n) * apart);
      },
      input.samples);
}

}  // namespace chalk
