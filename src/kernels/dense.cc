// Dense layers: each weight meets one vector of sixteen samples.
#include "src/kernels/dense.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/dense.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"
#include "src/kernels/outer-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kWideParts = kPieces > 2 ? 1 : kPieces;  // native vectors of a sample group held at once

/// Sums y[k] = Σ_t w[k·w_sum + t·w_step] · x[t], then + bias[k] (if not null), then relu.
struct DenseSums {
  const float* x;
  std::int64_t terms;
  const float* w;
  std::int64_t w_sum, w_step;
  const float* bias;
  bool relu;
  float* y;
};

template <int kSums>
HWY_NOINLINE void dense_tile(const DenseSums& s) {
  const LaneTag d;
  const std::int64_t w_sum = s.w_sum, w_step = s.w_step;
  for (int part = 0; part < kPieces; part += kWideParts) {
    LaneVec sum[kSums][kWideParts];
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) sum[k][i] = hn::Zero(d);
    }
    const float* x = s.x + part * kWidth;
    const float* w = s.w;
    for (std::int64_t t = 0; t < s.terms; ++t, x += kLanes, w += w_step) {
      LaneVec xs[kWideParts];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) xs[i] = hn::Load(d, x + i * kWidth);
      CHALKGRAD_UNROLL
      for (int k = 0; k < kSums; ++k) {
        const auto wk = hn::Set(d, w[k * w_sum]);
        CHALKGRAD_UNROLL
        for (int i = 0; i < kWideParts; ++i) sum[k][i] = fused(xs[i], wk, sum[k][i]);
      }
    }
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) {
        if (s.bias) sum[k][i] = hn::Add(sum[k][i], hn::Set(d, s.bias[k]));
        if (s.relu) sum[k][i] = relu_vec(sum[k][i]);
        hn::Store(sum[k][i], d, s.y + k * kLanes + (part + i) * kWidth);
      }
    }
  }
}

template <int kMost, int kSums = 1>
HWY_INLINE void run_dense_tile(const DenseSums& s, std::int64_t sums) {
  if (sums == kSums) {
    dense_tile<kSums>(s);
  } else if constexpr (kSums < kMost) {
    run_dense_tile<kMost, kSums + 1>(s, sums);
  }
}

/// `count` sums, in tiles of nearly equal size.
template <int kMost>
void dense_sums(DenseSums s, std::int64_t count) {
  for (std::int64_t tiles = (count + kMost - 1) / kMost; tiles > 0; --tiles) {
    const std::int64_t sums = (count + tiles - 1) / tiles;
    run_dense_tile<kMost>(s, sums);
    s.w += sums * s.w_sum;
    if (s.bias) s.bias += sums;
    s.y += sums * kLanes;
    count -= sums;
  }
}

void DenseForward(std::int64_t outputs, std::int64_t inputs, const float* x, const float* w, const float* bias,
                  bool relu, float* y) {
  dense_sums<kDenseRows>({x, inputs, w, inputs, 1, bias, relu, y}, outputs);
}

void DenseInputGrad(std::int64_t outputs, std::int64_t inputs, const float* dy, const float* w, float* dx) {
  dense_sums<kDenseColumns>({dy, outputs, w, 1, inputs, nullptr, false, dx}, inputs);
}

void DenseWeightGrad(std::int64_t outputs, std::int64_t inputs, const float* x, const float* dy, float* dw, int valid,
                     bool accumulate, float* scratch) {
  const std::int64_t padded = (inputs + kLanes - 1) / kLanes * kLanes;
  for (std::int64_t i = 0; i < inputs; i += kLanes) {
    transpose_lanes(x + i * kLanes, kLanes, inputs - i, scratch + i, padded);
  }
  outer_sums({.a = dy,
              .a_row = kLanes,
              .b = scratch,
              .b_row = padded,
              .groups = 1,
              .valid = valid,
              .accumulate = accumulate,
              .c = dw,
              .c_row = inputs},
             outputs, inputs);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
HWY_EXPORT(DenseForward);
HWY_EXPORT(DenseInputGrad);
HWY_EXPORT(DenseWeightGrad);

void dense_forward(std::int64_t outputs, std::int64_t inputs, const float* x, const float* w, const float* bias,
                   bool relu, float* y) {
  HWY_DYNAMIC_DISPATCH(DenseForward)(outputs, inputs, x, w, bias, relu, y);
}

void dense_input_grad(std::int64_t outputs, std::int64_t inputs, const float* dy, const float* w, float* dx) {
  HWY_DYNAMIC_DISPATCH(DenseInputGrad)(outputs, inputs, dy, w, dx);
}

std::size_t dense_weight_grad_scratch(std::int64_t outputs, std::int64_t inputs) {
  (void)outputs;
  return static_cast<std::size_t>((inputs + 15) / 16 * 16 * 16);
}

void dense_weight_grad(std::int64_t outputs, std::int64_t inputs, const float* x, const float* dy, float* dw, int valid,
                       bool accumulate, float* scratch) {
  HWY_DYNAMIC_DISPATCH(DenseWeightGrad)(outputs, inputs, x, dy, dw, valid, accumulate, scratch);
}

}  // namespace chalk
#endif
