// Samples on their way from a program's feeds to the values of a microbatch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "chalkgrad/program.h"
#include "src/kernels/transfer.h"
#include "src/plan/plan.h"

namespace chalk {

/// Up to sixteen samples that flow through a plan together.
struct Microbatch {
  std::size_t index = 0;
  int valid = 16;            // lanes that hold samples
  bool alone = false;        // one sample, by the kernels of one sample
  std::uint32_t rows[16]{};  // of the feeds, one a lane; lanes beyond the last sample repeat it
};

// The kinds of samples. Each brings sixteen rows into lanes, or one row as it is.

struct ValueSamples {
  const float* from = nullptr;
  std::size_t size = 0;  // of a sample
  void lanes(LaneRows rows, float* to) const { gather_values(from, size, rows, to); }
  void one(std::uint32_t row, float* to) const { take_values(from + row * size, size, to); }
};

struct ByteSamples {
  const std::uint8_t* from = nullptr;
  std::size_t channels = 0, plane = 0;  // of a sample: so many bytes each
  const float *scale = nullptr, *shift = nullptr;
  void lanes(LaneRows rows, float* to) const { gather_bytes(from, channels, plane, scale, shift, rows, to); }
  void one(std::uint32_t row, float* to) const {
    take_bytes(from + row * channels * plane, channels, plane, scale, shift, to);
  }
};

struct LabelSamples {
  const std::int32_t* from = nullptr;
  std::size_t classes = 0;
  void lanes(LaneRows rows, float* to) const { gather_labels(from, classes, rows, to); }
  void one(std::uint32_t row, float* to) const { take_label(from[row], classes, to); }
};

/// The samples that the batched inputs of a plan were fed.
class Gatherer {
 public:
  explicit Gatherer(const Plan& plan);

  void feed(std::size_t input, const Feed& feed);
  void gather(const Phase::Gather& gather, const Microbatch& microbatch, float* to) const;

 private:
  struct Input {
    Shape shape;
    std::variant<ValueSamples, ByteSamples, LabelSamples> samples;
  };
  std::vector<Input> inputs_;
};

}  // namespace chalk
