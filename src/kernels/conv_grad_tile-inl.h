// The register tile of weight gradients: some filters × some taps, summed over places, sixteen samples each; and the
// fold of their lanes. Included once per instruction set, after <hwy/foreach_target.h>; hence no ordinary include
// guard.
#if defined(CHALKGRAD_CONV_GRAD_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_GRAD_TILE_INL_H_
#undef CHALKGRAD_CONV_GRAD_TILE_INL_H_
#else
#define CHALKGRAD_CONV_GRAD_TILE_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/conv_tile-inl.h"
#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr std::int64_t kGradFilters = 4;  // summed at a time
constexpr std::int64_t kGradTaps = 48;    // folded at a time

/// sums[f][k][lane] = Σ dz[f][row][column] · x[taps[k] + row·x_row + column·x_step], over rows and columns in order.
struct GradTile {
  const float* x;
  const std::int64_t* taps;
  std::int64_t x_step, x_row;
  const float* dz;
  std::int64_t dz_plane;
  std::int64_t rows, columns;
  float* sums;
};

template <int kFilters, int kTaps, int kStep>
HWY_NOINLINE void run_grad_tile(const GradTile& t) {
  const LaneTag d;
  const std::int64_t step = kStep ? kStep : t.x_step;
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec sum[kFilters][kTaps];
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) {
      CHALKGRAD_UNROLL
      for (int k = 0; k < kTaps; ++k) sum[f][k] = hn::Zero(d);
    }
    const float* dz = t.dz + part;
    for (std::int64_t row = 0; row < t.rows; ++row) {
      const float* x[kTaps];
      CHALKGRAD_UNROLL
      for (int k = 0; k < kTaps; ++k) x[k] = t.x + t.taps[k] + row * t.x_row + part;
      for (std::int64_t column = 0; column < t.columns; ++column, dz += kLanes) {
        LaneVec xs[kTaps];
        CHALKGRAD_UNROLL
        for (int k = 0; k < kTaps; ++k) xs[k] = hn::Load(d, x[k] + column * step);
        CHALKGRAD_UNROLL
        for (int f = 0; f < kFilters; ++f) {
          const auto g = hn::Load(d, dz + f * t.dz_plane);
          CHALKGRAD_UNROLL
          for (int k = 0; k < kTaps; ++k) sum[f][k] = fused(g, xs[k], sum[f][k]);
        }
      }
    }
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) {
      CHALKGRAD_UNROLL
      for (int k = 0; k < kTaps; ++k) hn::Store(sum[f][k], d, t.sums + (f * kGradTaps + k) * kLanes + part);
    }
  }
}

template <int kFilters, int kStep, int kTaps = 1>
HWY_INLINE void run_grad_taps(const GradTile& t, std::int64_t taps) {
  if (taps == kTaps) {
    run_grad_tile<kFilters, kTaps, kStep>(t);
  } else if constexpr (kTaps < tile_columns(kFilters)) {
    run_grad_taps<kFilters, kStep, kTaps + 1>(t, taps);
  }
}

template <int kStep>
HWY_INLINE void run_grad_filters(const GradTile& t, std::int64_t filters, std::int64_t taps) {
  switch (filters) {
    case 1:
      return run_grad_taps<1, kStep>(t, taps);
    case 2:
      return run_grad_taps<2, kStep>(t, taps);
    case 3:
      return run_grad_taps<3, kStep>(t, taps);
    default:
      return run_grad_taps<4, kStep>(t, taps);
  }
}

/// The sums of some filters for up to kGradTaps taps, in tiles of nearly equal width.
inline void sum_taps(GradTile t, std::int64_t filters, std::int64_t taps) {
  if (t.x_row == t.columns * t.x_step) {  // rows follow each other without a gap
    t.columns *= t.rows;
    t.rows = 1;
  }
  const std::int64_t widest = tile_columns(static_cast<int>(filters));
  for (std::int64_t left = taps, i = (taps + widest - 1) / widest; i > 0; --i) {
    const std::int64_t width = (left + i - 1) / i;
    if (t.x_step == kLanes) {
      run_grad_filters<kLanes>(t, filters, width);
    } else {
      run_grad_filters<0>(t, filters, width);
    }
    t.taps += width;
    t.sums += width * kLanes;
    left -= width;
  }
}

/// dw[0 … taps) (+)= `folded`, for up to kWidth taps.
HWY_INLINE void store_folded(LaneVec folded, std::int64_t taps, bool accumulate, float* dw) {
  const LaneTag d;
  if (taps == kWidth) {
    hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, dw), folded) : folded, d, dw);
  } else {
    alignas(64) float each[kWidth];
    hn::Store(folded, d, each);
    for (std::int64_t i = 0; i < taps; ++i) dw[i] = accumulate ? dw[i] + each[i] : each[i];
  }
}

/// dw[0 … taps) (+)= the folds of the sums. The sums' array may be read up to kWidth − 1 sums beyond.
inline void fold_taps(const float* sums, const ValidLanes& valid, std::int64_t taps, bool accumulate, float* dw) {
  for (std::int64_t k = 0; k < taps; k += kWidth) {
    const std::int64_t n = std::min<std::int64_t>(kWidth, taps - k);
    store_folded(fold_sums(sums + k * kLanes, valid), n, accumulate, dw + k);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
