// Samples on their way from a program's feeds to the values of a microbatch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "chalkgrad/program.h"
#include "src/base/aligned.h"
#include "src/kernels/noise.h"
#include "src/kernels/transfer.h"
#include "src/plan/plan.h"

namespace chalk {

/// Up to sixteen samples that flow through a plan together.
struct Microbatch {
  std::size_t index = 0;
  int valid = 16;            // lanes that hold samples
  bool alone = false;        // one sample, by the kernels of one sample
  std::uint32_t rows[16]{};  // of the feeds, one per lane; lanes beyond the last sample repeat it
};

// The kinds of samples. Each brings sixteen rows into lanes, or one row as it is, from where row 0 is.

/// How elements become what a network sees: element · scale + shift, with one rounding.
struct Scaled {
  std::size_t size = 0, channels = 1;              // elements of a sample, of which each channel has as many
  const float *scale = nullptr, *shift = nullptr;  // one a channel; null: as they are
  bool per_sample = false;                         // then of each sample its own
  std::size_t plane() const { return size / channels; }
};

struct ValueSamples : Scaled {
  using Element = float;
  void lanes(const float* from, LaneRows rows, float* to) const {
    gather_values(from, size, rows, to);
    if (per_sample)
      standardise_lanes(from, size, rows, to);
    else if (scale != nullptr)
      scale_channels(channels, plane() * 16, scale, shift, to);
  }
  void one(const float* from, std::uint32_t row, float* to) const {
    take_values(from + row * size, size, to);
    if (per_sample)
      standardise_one(from + row * size, size, to);
    else if (scale != nullptr)
      scale_channels(channels, plane(), scale, shift, to);
  }
};

struct ByteSamples : Scaled {
  using Element = std::uint8_t;
  void lanes(const std::uint8_t* from, LaneRows rows, float* to) const {
    if (!per_sample) return gather_bytes(from, channels, plane(), scale, shift, rows, to);
    gather_bytes(from, 1, size, &kAsItIs.scale, &kAsItIs.shift, rows, to);
    standardise_lanes(from, size, rows, to);
  }
  void one(const std::uint8_t* from, std::uint32_t row, float* to) const {
    if (!per_sample) return take_bytes(from + row * size, channels, plane(), scale, shift, to);
    take_bytes(from + row * size, 1, size, &kAsItIs.scale, &kAsItIs.shift, to);
    standardise_one(from + row * size, size, to);
  }
};

struct LabelSamples {
  using Element = std::int32_t;
  static constexpr std::size_t size = 1;
  std::size_t classes = 0;
  void lanes(const std::int32_t* from, LaneRows rows, float* to) const { gather_labels(from, classes, rows, to); }
  void one(const std::int32_t* from, std::uint32_t row, float* to) const { take_label(from[row], classes, to); }
};

struct NoiseSamples {  // from nowhere
  using Element = float;
  std::size_t size = 0;
  NoiseStream stream{};
  void lanes(const float*, LaneRows rows, float* to) const { noise_lanes(stream, rows, size, to); }
  void one(const float*, std::uint32_t row, float* to) const { noise_one(stream, row, size, to); }
};

/// Samples of a kind, in memory or to be fetched.
template <class Kind>
struct Source : Kind {
  const typename Kind::Element* memory = nullptr;
  Fetch<typename Kind::Element> fetch{};
};

/// The samples of a plan's batched inputs.
class Gatherer {
 public:
  /// Noise is drawn; the other inputs must be fed.
  Gatherer(const Plan& plan, int threads, std::uint64_t seed);

  /// Books memory for samples that are to be fetched.
  void feed(std::size_t input, const Feed& feed);
  void set_position(std::uint64_t position);
  /// Books what runs of so many microbatches need beyond that.
  void make_room(std::size_t microbatches);

  /// True if there is something to fetch() for each microbatch, in the first phase and before anything is gathered.
  bool fetches() const { return fetches_; }
  void fetch(const Microbatch& microbatch, int thread);
  void gather(const Phase::Gather& gather, const Microbatch& microbatch, int thread, float* to) const;

  /// Memory for fetched samples in bytes: of each thread, and for each microbatch of the largest batch so far.
  std::size_t bytes_a_thread() const { return bytes(false); }
  std::size_t bytes_a_microbatch() const { return bytes(true); }

 private:
  struct Input {
    Shape shape;
    int last_phase = -1;  // in which it is gathered
    std::variant<Source<ValueSamples>, Source<ByteSamples>, Source<LabelSamples>, Source<NoiseSamples>> source;
    std::size_t fetched = 0;  // floats that sixteen fetched samples take; 0: there is nothing to fetch
    AlignedFloats staging;    // one per thread or, if a later phase needs them, per microbatch
    bool keeps() const { return last_phase > 0; }
  };
  template <class Kind>
  void set_source(Input& input, Source<Kind> source);
  std::size_t blocks(const Input& input) const { return input.keeps() ? microbatches_ : threads_; }
  static float* staging(const Input& input, const Microbatch& microbatch, int thread);
  std::size_t bytes(bool kept) const;

  std::vector<Input> inputs_;
  const std::size_t threads_;
  std::size_t microbatches_ = 0;  // of the largest batch so far
  std::uint64_t position_ = 0;
  bool fetches_ = false;
};

}  // namespace chalk
