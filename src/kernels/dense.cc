// Dense layers: each weight meets one vector of sixteen samples.
#include "src/kernels/dense.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/dense.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"
#include "src/kernels/fold-inl.h"

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

/// to[lane][i] = x[i][lane] for 16 lanes and i < padded, zero from `inputs` on.
void transpose_lanes(const float* x, std::int64_t inputs, std::int64_t padded, float* to) {
  const LaneTag d;
  for (std::int64_t i = 0; i < padded; i += kWidth) {
    for (int part = 0; part < 16; part += kWidth) {
      LaneVec v[kWidth];
      for (int r = 0; r < kWidth; ++r) {
        v[r] = i + r < inputs ? hn::Load(d, x + (i + r) * kLanes + part) : hn::Zero(d);
      }
      transpose_vectors(v);
      for (int r = 0; r < kWidth; ++r) hn::Store(v[r], d, to + (part + r) * padded + i);
    }
  }
}

/// dw[r][i] (+)= Σ_n dy[r][n] · xt[n][i], for kRows outputs and kVecs vectors of inputs.
template <int kRows, int kVecs>
HWY_NOINLINE void outer_tile(const float* xt, std::int64_t xt_row, const float* dy, int valid, bool accumulate,
                             float* dw, std::int64_t dw_row) {
  const LaneTag d;
  LaneVec sum[kRows][kVecs];
  CHALKGRAD_UNROLL
  for (int r = 0; r < kRows; ++r) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kVecs; ++i) {
      sum[r][i] = accumulate ? hn::LoadU(d, dw + r * dw_row + i * kWidth) : hn::Zero(d);
    }
  }
  for (int n = 0; n < valid; ++n, xt += xt_row) {
    LaneVec xs[kVecs];
    CHALKGRAD_UNROLL
    for (int i = 0; i < kVecs; ++i) xs[i] = hn::Load(d, xt + i * kWidth);
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto g = hn::Set(d, dy[r * kLanes + n]);
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) sum[r][i] = fused(g, xs[i], sum[r][i]);
    }
  }
  CHALKGRAD_UNROLL
  for (int r = 0; r < kRows; ++r) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kVecs; ++i) hn::StoreU(sum[r][i], d, dw + r * dw_row + i * kWidth);
  }
}

template <int kRows, int kVecs = 1>
HWY_INLINE void run_outer_tile(std::int64_t vecs, const float* xt, std::int64_t xt_row, const float* dy, int valid,
                               bool accumulate, float* dw, std::int64_t dw_row) {
  if (vecs == kVecs) {
    outer_tile<kRows, kVecs>(xt, xt_row, dy, valid, accumulate, dw, dw_row);
  } else if constexpr (kVecs < tile_columns(kRows)) {
    run_outer_tile<kRows, kVecs + 1>(vecs, xt, xt_row, dy, valid, accumulate, dw, dw_row);
  }
}

/// kRows rows of dw: whole vectors in tiles of nearly equal width, then what is left of the rows through a copy.
template <int kRows>
void outer_rows(std::int64_t inputs, const float* xt, std::int64_t xt_row, const float* dy, int valid, bool accumulate,
                float* dw) {
  const std::int64_t vecs = inputs / kWidth, widest = tile_columns(kRows);
  std::int64_t done = 0;
  for (std::int64_t i = (vecs + widest - 1) / widest; i > 0; --i) {
    const std::int64_t width = (vecs - done / kWidth + i - 1) / i;
    run_outer_tile<kRows>(width, xt + done, xt_row, dy, valid, accumulate, dw + done, inputs);
    done += width * kWidth;
  }
  if (done == inputs) return;
  alignas(64) float rest[kRows * kWidth] = {};
  for (int r = 0; r < kRows && accumulate; ++r) std::copy_n(dw + r * inputs + done, inputs - done, rest + r * kWidth);
  outer_tile<kRows, 1>(xt + done, xt_row, dy, valid, accumulate, rest, kWidth);
  for (int r = 0; r < kRows; ++r) std::copy_n(rest + r * kWidth, inputs - done, dw + r * inputs + done);
}

void DenseWeightGrad(std::int64_t outputs, std::int64_t inputs, const float* x, const float* dy, float* dw, int valid,
                     bool accumulate, float* scratch) {
  const std::int64_t padded = (inputs + kLanes - 1) / kLanes * kLanes;
  transpose_lanes(x, inputs, padded, scratch);
  std::int64_t o = 0;
  for (; o + 4 <= outputs; o += 4) {
    outer_rows<4>(inputs, scratch, padded, dy + o * kLanes, valid, accumulate, dw + o * inputs);
  }
  for (; o < outputs; ++o) {
    outer_rows<1>(inputs, scratch, padded, dy + o * kLanes, valid, accumulate, dw + o * inputs);
  }
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
