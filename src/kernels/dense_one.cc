// The dense layer of one sample: a lane is an output, and each input meets the weights of many outputs.
#include "src/kernels/dense_one.h"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/dense_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

using FourTag = hn::CappedTag<float, kWeightBlock>;  // the outputs whose weights are packed side by side
using FourVec = hn::Vec<FourTag>;
constexpr int kFourWidth = static_cast<int>(hn::MaxLanes(FourTag()));
constexpr int kDenseBlocks = HWY_TARGET == HWY_AVX2 ? 12 : 16;  // blocks of outputs summed at once

template <class V>
HWY_INLINE V fused_four(V a, V b, V c) {
  if constexpr (std::is_same_v<V, LaneVec>) {
    return fused(a, b, c);
  } else {
    return hn::MulAdd(a, b, c);  // wider vectors come with a fused multiply-add
  }
}

/// y[4·b + i] = Σ_t w[b][t][i] · x[t] for kBlocks blocks b, then bias and relu.
template <int kBlocks>
HWY_NOINLINE void dense_blocks(std::int64_t terms, const float* x, const float* w, const float* bias, bool relu,
                               float* y) {
  const FourTag d;
  for (int part = 0; part < kWeightBlock; part += kFourWidth) {
    FourVec sum[kBlocks];
    CHALKGRAD_UNROLL
    for (int b = 0; b < kBlocks; ++b) sum[b] = hn::Zero(d);
    for (std::int64_t t = 0; t < terms; ++t) {
      const auto xt = hn::Set(d, x[t]);
      const float* const wt = w + t * kWeightBlock + part;
      CHALKGRAD_UNROLL
      for (int b = 0; b < kBlocks; ++b) {
        sum[b] = fused_four(xt, hn::LoadU(d, wt + b * terms * kWeightBlock), sum[b]);
      }
    }
    CHALKGRAD_UNROLL
    for (int b = 0; b < kBlocks; ++b) {
      const std::int64_t at = b * kWeightBlock + part;
      if (bias) sum[b] = hn::Add(sum[b], hn::LoadU(d, bias + at));
      if (relu) sum[b] = hn::IfThenElse(hn::Lt(sum[b], hn::Zero(d)), hn::Zero(d), sum[b]);
      hn::StoreU(sum[b], d, y + at);
    }
  }
}

template <int kBlocks = 1>
HWY_INLINE void run_dense_blocks(std::int64_t blocks, std::int64_t terms, const float* x, const float* w,
                                 const float* bias, bool relu, float* y) {
  if (blocks == kBlocks) {
    dense_blocks<kBlocks>(terms, x, w, bias, relu, y);
  } else if constexpr (kBlocks < kDenseBlocks) {
    run_dense_blocks<kBlocks + 1>(blocks, terms, x, w, bias, relu, y);
  }
}

void DenseForwardOne(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
                     bool relu, float* y) {
  const std::int64_t blocks = (outputs + kWeightBlock - 1) / kWeightBlock;
  const std::int64_t tiles = (blocks + kDenseBlocks - 1) / kDenseBlocks;
  for (std::int64_t i = 0; i < tiles; ++i) {
    const std::int64_t first = blocks * i / tiles, o = first * kWeightBlock;
    run_dense_blocks(blocks * (i + 1) / tiles - first, inputs, x, packed + o * inputs, bias ? bias + o : nullptr, relu,
                     y + o);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
HWY_EXPORT(DenseForwardOne);

void dense_forward_one(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed,
                       const float* bias, bool relu, float* y) {
  HWY_DYNAMIC_DISPATCH(DenseForwardOne)(outputs, inputs, x, packed, bias, relu, y);
}

}  // namespace chalk
#endif
