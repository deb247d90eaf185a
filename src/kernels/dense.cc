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

constexpr int kWideParts = kPieces > 2 ? 1 : kPieces;       // native vectors of a sample group held at once
constexpr int kWideSums = HWY_TARGET == HWY_AVX2 ? 4 : 24;  // outputs (inputs) summed at once

/// sum[k] = Σ_t w[t·w_step + (k / 4)·w_block + k % 4] · x[t], for kSums values, then bias and relu.
template <int kSums>
HWY_NOINLINE void dense_tile(const float* x, std::int64_t terms, const float* w, std::int64_t w_step,
                             std::int64_t w_block, const float* bias, bool relu, float* y) {
  const LaneTag d;
  for (int part = 0; part < kPieces; part += kWideParts) {
    LaneVec sum[kSums][kWideParts];
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) sum[k][i] = hn::Zero(d);
    }
    const float* from = x + part * kWidth;
    const float* weight = w;
    for (std::int64_t t = 0; t < terms; ++t, from += kLanes, weight += w_step) {
      LaneVec xs[kWideParts];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) xs[i] = hn::Load(d, from + i * kWidth);
      CHALKGRAD_UNROLL
      for (int k = 0; k < kSums; ++k) {
        const auto wk = hn::Set(d, weight[k / kWeightBlock * w_block + k % kWeightBlock]);
        CHALKGRAD_UNROLL
        for (int i = 0; i < kWideParts; ++i) sum[k][i] = fused(xs[i], wk, sum[k][i]);
      }
    }
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kWideParts; ++i) {
        if (bias) sum[k][i] = hn::Add(sum[k][i], hn::Set(d, bias[k]));
        if (relu) sum[k][i] = relu_vec(sum[k][i]);
        hn::Store(sum[k][i], d, y + k * kLanes + (part + i) * kWidth);
      }
    }
  }
}

/// How many of the sums left the next tile makes: a multiple of 4 while there are four.
HWY_INLINE std::int64_t dense_sums(std::int64_t left) {
  for (const int many : {24, 20, 16, 12, 8, 4}) {
    if (many <= kWideSums && left >= many) return many;
  }
  return left;
}

HWY_INLINE void run_dense_tile(std::int64_t sums, const float* x, std::int64_t terms, const float* w,
                               std::int64_t w_step, std::int64_t w_block, const float* bias, bool relu, float* y) {
  switch (sums) {
    case 1:
      return dense_tile<1>(x, terms, w, w_step, w_block, bias, relu, y);
    case 2:
      return dense_tile<2>(x, terms, w, w_step, w_block, bias, relu, y);
    case 3:
      return dense_tile<3>(x, terms, w, w_step, w_block, bias, relu, y);
    case 4:
      return dense_tile<4>(x, terms, w, w_step, w_block, bias, relu, y);
    default:
      break;
  }
  if constexpr (kWideSums >= 24) {
    switch (sums) {
      case 8:
        return dense_tile<8>(x, terms, w, w_step, w_block, bias, relu, y);
      case 12:
        return dense_tile<12>(x, terms, w, w_step, w_block, bias, relu, y);
      case 16:
        return dense_tile<16>(x, terms, w, w_step, w_block, bias, relu, y);
      case 20:
        return dense_tile<20>(x, terms, w, w_step, w_block, bias, relu, y);
      default:
        return dense_tile<24>(x, terms, w, w_step, w_block, bias, relu, y);
    }
  }
}

void DenseForward(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
                  bool relu, float* y) {
  const std::int64_t w_block = inputs * kWeightBlock;
  for (std::int64_t o = 0, n = 0; o < outputs; o += n) {
    n = dense_sums(outputs - o);
    run_dense_tile(n, x, inputs, packed + o / kWeightBlock * w_block, kWeightBlock, w_block, bias ? bias + o : nullptr,
                   relu, y + o * kLanes);
  }
}

void DenseInputGrad(std::int64_t outputs, std::int64_t inputs, const float* dy, const float* w, float* dx) {
  for (std::int64_t i = 0, n = 0; i < inputs; i += n) {
    n = dense_sums(inputs - i);
    run_dense_tile(n, dy, outputs, w + i, inputs, kWeightBlock, nullptr, false, dx + i * kLanes);
  }
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

std::size_t dense_forward_packed(std::int64_t outputs, std::int64_t inputs) {
  return static_cast<std::size_t>((outputs + 3) / 4 * 4 * inputs);
}

// [output / 4][input][4], with zeros for the outputs that fill up the last block.
void dense_forward_pack(std::int64_t outputs, std::int64_t inputs, const float* w, float* packed) {
  for (std::int64_t o = 0; o < outputs; o += 4) {
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t k = o; k < o + 4; ++k) *packed++ = k < outputs ? w[k * inputs + i] : 0.0f;
    }
  }
}

void dense_forward(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
                   bool relu, float* y) {
  HWY_DYNAMIC_DISPATCH(DenseForward)(outputs, inputs, x, packed, bias, relu, y);
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
