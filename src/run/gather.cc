#include "src/run/gather.h"

#include <algorithm>
#include <span>
#include <utility>

namespace chalk {

Gatherer::Gatherer(const Plan& plan, int threads, std::uint64_t seed)
    : inputs_(plan.inputs.size()), threads_(static_cast<std::size_t>(threads)) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto& input = plan.inputs[i];
    inputs_[i].shape = input.type.shape;
    const auto size = static_cast<std::size_t>(elements(input.type.shape));
    if (input.noise) inputs_[i].source = Source<NoiseSamples>{{size, NoiseStream(seed, input.name)}};
  }
  for (std::size_t p = 0; p < plan.phases.size(); ++p) {
    for (const auto& gather : plan.phases[p].gathers) inputs_[gather.input].last_phase = static_cast<int>(p);
  }
}

void Gatherer::feed(std::size_t index, const Feed& feed) {
  Input& input = inputs_[index];
  const auto size = static_cast<std::size_t>(elements(input.shape));
  const auto channels = input.shape.empty() ? std::size_t{1} : static_cast<std::size_t>(input.shape[0]);
  const Scaled scaled{size, channels, feed.scale, feed.shift, feed.per_sample};
  if (feed.values || feed.fetch_values) {
    set_source<ValueSamples>(input, {{scaled}, feed.values, feed.fetch_values});
  } else if (feed.labels || feed.fetch_labels) {
    set_source<LabelSamples>(input, {{size}, feed.labels, feed.fetch_labels});
  } else {
    set_source<ByteSamples>(input, {{scaled}, feed.bytes, feed.fetch_bytes});
  }
  fetches_ = std::any_of(inputs_.begin(), inputs_.end(), [](const Input& one) { return one.fetched > 0; });
}

template <class Kind>
void Gatherer::set_source(Input& input, Source<Kind> source) {
  const bool fetches = source.fetch && input.last_phase >= 0;
  const auto bytes = 16 * source.size * sizeof(typename Kind::Element);
  input.fetched = fetches ? AlignedFloats::round((bytes + sizeof(float) - 1) / sizeof(float)) : 0;
  if (const auto floats = input.fetched * blocks(input); input.staging.size() != floats)
    input.staging = AlignedFloats(floats);
  input.source = std::move(source);
}

void Gatherer::make_room(std::size_t microbatches) {
  if (microbatches <= microbatches_) return;
  for (auto& input : inputs_) {
    if (input.keeps() && input.fetched > 0) input.staging = AlignedFloats(input.fetched * microbatches);
  }
  microbatches_ = microbatches;
}

void Gatherer::set_position(std::uint64_t position) {
  position_ = position;
  for (auto& input : inputs_) {
    if (auto* noise = std::get_if<Source<NoiseSamples>>(&input.source)) noise->stream.position = position;
  }
}

std::size_t Gatherer::bytes(bool kept) const {
  std::size_t sum = 0;
  for (const auto& input : inputs_) sum += input.keeps() == kept ? input.fetched * sizeof(float) : 0;
  return sum;
}

float* Gatherer::staging(const Input& input, const Microbatch& microbatch, int thread) {
  return input.staging.data() + input.fetched * (input.keeps() ? microbatch.index : static_cast<std::size_t>(thread));
}

void Gatherer::fetch(const Microbatch& microbatch, int thread) {
  const auto valid = static_cast<std::size_t>(microbatch.valid);
  for (const auto& input : inputs_) {
    if (input.fetched == 0) continue;
    std::visit(
        [&]<class Kind>(const Source<Kind>& source) {
          auto* to = reinterpret_cast<typename Kind::Element*>(staging(input, microbatch, thread));
          source.fetch(std::span(microbatch.rows, valid), position_, std::span(to, valid * source.size));
        },
        input.source);
  }
}

void Gatherer::gather(const Phase::Gather& gather, const Microbatch& microbatch, int thread, float* to) const {
  const Input& input = inputs_[gather.input];
  const bool fetched = input.fetched > 0;
  std::uint32_t in_staging[16];
  for (int n = 0; n < 16; ++n) in_staging[n] = static_cast<std::uint32_t>(std::min(n, microbatch.valid - 1));
  const auto& rows = fetched ? in_staging : microbatch.rows;
  const auto apart = AlignedFloats::round(static_cast<std::size_t>(elements(input.shape)));
  std::visit(
      [&]<class Kind>(const Source<Kind>& source) {
        using Element = typename Kind::Element;
        const auto* from =
            fetched ? reinterpret_cast<const Element*>(staging(input, microbatch, thread)) : source.memory;
        if (microbatch.alone) return source.one(from, rows[0], to);
        if (!gather.rows) return source.lanes(from, rows, to);
        for (int n = 0; n < microbatch.valid; ++n) source.one(from, rows[n], to + static_cast<std::size_t>(n) * apart);
      },
      input.source);
}

}  // namespace chalk
