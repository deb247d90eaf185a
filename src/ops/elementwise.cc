#include "src/ops/elementwise.h"

#include <algorithm>
#include <array>

namespace chalk {
namespace {

constexpr std::size_t kBlock = 64;  // places gathered at a time
constexpr std::size_t kWidth = 16;  // floats in a lane group

/// Where each operand is read, as the places of the output go by in row-major order.
class Walk {
 public:
  explicit Walk(const KernelCall& call) : shape_(call.type->shape), operands_(call.in.size()) {
    for (std::size_t k = 0; k < operands_; ++k) broadcast_strides(call.types[k].shape, shape_, strides_[k].data());
  }
  std::int64_t at(std::size_t operand) const { return at_[operand]; }
  void next() {
    for (auto d = shape_.size(); d-- > 0;) {
      const bool ends = ++index_[d] == shape_[d];
      for (std::size_t k = 0; k < operands_; ++k) at_[k] += strides_[k][d] * (ends ? 1 - shape_[d] : 1);
      if (!ends) return;
      index_[d] = 0;
    }
  }

 private:
  const Shape& shape_;
  std::size_t operands_;
  std::array<PerAxis, kMostOperands> strides_{};
  PerAxis index_{};
  std::array<std::int64_t, kMostOperands> at_{};
};

/// For each block of places: gathers the operands with put(operand, at, to), a place being `width` numbers, then calls
/// sweep(operands, first place, number of places).
template <class T, class Put, class Sweeps>
void for_each_block(const KernelCall& call, std::size_t width, const Put& put, const Sweeps& sweep) {
  alignas(64) T room[kMostOperands][kBlock * kWidth] = {};
  const T* const in[kMostOperands] = {room[0], room[1], room[2]};
  Walk walk(call);
  const auto places = static_cast<std::size_t>(elements(call.type->shape));
  for (std::size_t first = 0; first < places; first += kBlock) {
    const std::size_t count = std::min(kBlock, places - first);
    for (std::size_t i = 0; i < count; ++i, walk.next()) {
      for (std::size_t k = 0; k < call.in.size(); ++k) put(k, walk.at(k), room[k] + i * width);
    }
    sweep(in, first, count);
  }
}

}  // namespace

void sweep_reference(const KernelCall& call, DoubleSweep sweep) {
  for_each_block<double>(
      call, 1, [&](std::size_t k, std::int64_t at, double* to) { *to = static_cast<const double*>(call.in[k])[at]; },
      [&](const double* const* in, std::size_t first, std::size_t count) {
        sweep(in, static_cast<double*>(call.out) + first, count);
      });
}

void sweep_lanes(const KernelCall& call, Sweep sweep) {
  for_each_block<float>(
      call, kWidth,
      [&](std::size_t k, std::int64_t at, float* to) {
        const auto* const from = static_cast<const float*>(call.in[k]);
        if (call.types[k].batched) {
          std::copy_n(from + at * std::int64_t{kWidth}, kWidth, to);
        } else {
          std::fill_n(to, kWidth, from[at]);
        }
      },
      [&](const float* const* in, std::size_t first, std::size_t count) {
        sweep(in, static_cast<float*>(call.out) + first * kWidth, count);
      });
}

void sweep_shared(const KernelCall& call, Sweep sweep) {
  alignas(64) float out[kBlock];
  for_each_block<float>(
      call, 1, [&](std::size_t k, std::int64_t at, float* to) { *to = static_cast<const float*>(call.in[k])[at]; },
      [&](const float* const* in, std::size_t first, std::size_t count) {
        sweep(in, out, (count + kWidth - 1) / kWidth);
        std::copy_n(out, count, static_cast<float*>(call.out) + first);
      });
}

std::vector<Sample> one_between(double low, double high) {
  return {{{}, {{{3, 4}, true, low, high}}}, {{}, {{{5}, false, low, high}}}, {{}, {{{}, true, low, high}}}};
}

std::vector<Sample> two_between(double low, double high) {
  return {{{}, {{{3, 4}}, {{3, 4}, true, low, high}}},
          {{}, {{{2, 3, 4}}, {{3, 1}, false, low, high}}},
          {{}, {{{1, 4}, false}, {{2, 3, 1}, true, low, high}}},
          {{}, {{{}, false}, {{2, 3}, true, low, high}}},
          {{}, {{{}}, {{}, true, low, high}}},
          {{}, {{{5}, false}, {{5}, false, low, high}}}};
}

std::vector<Sample> joined(std::vector<Sample> samples, const std::vector<Sample>& more) {
  samples.insert(samples.end(), more.begin(), more.end());
  return samples;
}

}  // namespace chalk
