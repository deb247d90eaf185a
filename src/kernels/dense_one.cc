// The dense layer of one sample: a lane is an output, and each input meets the weights of many outputs.
#include "src/kernels/dense_one.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/dense_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kMostSixteens = std::max(1, std::min(12, kMaxSums / kPieces));  // of outputs that are summed at once

/// y[16·b + i] = Σ_t w[b][t][i] · x[t] for kSixteens blocks b of outputs, then + bias (if not null), then relu.
template <int kSixteens>
HWY_NOINLINE void dense_sixteens(std::int64_t terms, const float* x, const float* w, const float* bias, bool relu,
                                 float* y) {
  const LaneTag d;
  LaneVec sum[kSixteens][kPieces];
  CHALKGRAD_UNROLL
  for (int b = 0; b < kSixteens; ++b) {
    CHALKGRAD_UNROLL
    for (int p = 0; p < kPieces; ++p) sum[b][p] = hn::Zero(d);
  }
  for (std::int64_t t = 0; t < terms; ++t) {
    const auto xt = hn::Set(d, x[t]);
    const float* const wt = w + t * kLanes;
    CHALKGRAD_UNROLL
    for (int b = 0; b < kSixteens; ++b) {
      CHALKGRAD_UNROLL
      for (int p = 0; p < kPieces; ++p) {
        sum[b][p] = fused(xt, hn::Load(d, wt + b * terms * kLanes + p * kWidth), sum[b][p]);
      }
    }
  }
  CHALKGRAD_UNROLL
  for (int b = 0; b < kSixteens; ++b) {
    CHALKGRAD_UNROLL
    for (int p = 0; p < kPieces; ++p) {
      const std::int64_t at = b * kLanes + p * kWidth;
      if (bias) sum[b][p] = hn::Add(sum[b][p], hn::Load(d, bias + at));
      if (relu) sum[b][p] = relu_vec(sum[b][p]);
      hn::Store(sum[b][p], d, y + at);
    }
  }
}

template <int kSixteens = 1>
HWY_INLINE void run_dense_sixteens(std::int64_t sixteens, std::int64_t terms, const float* x, const float* w,
                                   const float* bias, bool relu, float* y) {
  if (sixteens == kSixteens) {
    dense_sixteens<kSixteens>(terms, x, w, bias, relu, y);
  } else if constexpr (kSixteens < kMostSixteens) {
    run_dense_sixteens<kSixteens + 1>(sixteens, terms, x, w, bias, relu, y);
  }
}

void DenseOne(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
              bool relu, float* y) {
  const std::int64_t all = (outputs + kLanes - 1) / kLanes, tiles = (all + kMostSixteens - 1) / kMostSixteens;
  for (std::int64_t i = 0; i < tiles; ++i) {
    const std::int64_t first = all * i / tiles, o = first * kLanes;
    run_dense_sixteens(all * (i + 1) / tiles - first, inputs, x, packed + o * inputs, bias ? bias + o : nullptr, relu,
                       y + o);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(DenseOne);

std::size_t dense_one_packed(std::int64_t outputs, std::int64_t inputs) {
  return static_cast<std::size_t>((outputs + 15) / 16 * 16 * inputs);
}

// [output / 16][input][16], with zeros for the outputs that fill up the last block.
void dense_one_pack(std::int64_t outputs, std::int64_t inputs, const float* w, float* packed, Share share) {
  const Interval some = share.of(outputs, 16);
  packed += some.begin * inputs;
  for (std::int64_t o = some.begin; o < some.end; o += 16) {
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t k = o; k < o + 16; ++k) *packed++ = k < outputs ? w[k * inputs + i] : 0.0f;
    }
  }
}

void dense_one(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
               bool relu, float* y) {
  CHALK_CHOSEN(DenseOne)(outputs, inputs, x, packed, bias, relu, y);
}

}  // namespace chalk
#endif
