// Sums over samples as products of matrices: c[i][j] = Σₙ a[i][n] · b[j][n], where b's lanes are transposed first, so
// that a vector holds neighbours in j and nothing is left to fold. Included once per instruction set, after
// <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_OUTER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OUTER_INL_H_
#undef CHALKGRAD_OUTER_INL_H_
#else
#define CHALKGRAD_OUTER_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/conv_tile-inl.h"
#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// to[lane][i] = x[i][lane] for 16 lanes and 16 values, zero from i = count on; x's lie x_step floats apart, to's rows
/// to_row.
HWY_INLINE void transpose_lanes(const float* x, std::int64_t x_step, std::int64_t count, float* to,
                                std::int64_t to_row) {
  const LaneTag d;
  for (std::int64_t i = 0; i < kLanes; i += kWidth) {
    for (int part = 0; part < 16; part += kWidth) {
      LaneVec v[kWidth];
      CHALKGRAD_UNROLL
      for (int r = 0; r < kWidth; ++r) v[r] = i + r < count ? hn::Load(d, x + (i + r) * x_step + part) : hn::Zero(d);
      transpose_vectors(v);
      CHALKGRAD_UNROLL
      for (int r = 0; r < kWidth; ++r) hn::Store(v[r], d, to + (part + r) * to_row + i);
    }
  }
}

/// c[i][j] = (c[i][j] or +0) + Σ_g Σ_n a[i][g][n] · b[g][n][j] over the first `valid` lanes n, fma-accumulated in
/// order.
struct OuterSum {
  const float* a;
  std::int64_t a_row;  // floats from a row to the next; groups follow each other
  const float* b;
  std::int64_t b_row;  // a multiple of 16
  std::int64_t groups;
  int valid;
  bool accumulate;
  float* c;
  std::int64_t c_row;
};

template <int kRows, int kVecs>
HWY_NOINLINE void outer_tile(const OuterSum& t) {
  const LaneTag d;
  const std::int64_t a_row = t.a_row, b_row = t.b_row, c_row = t.c_row;
  float* const c = t.c;
  LaneVec sum[kRows][kVecs];
  CHALKGRAD_UNROLL
  for (int r = 0; r < kRows; ++r) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kVecs; ++i) sum[r][i] = t.accumulate ? hn::LoadU(d, c + r * c_row + i * kWidth) : hn::Zero(d);
  }
  const float* a = t.a;
  const float* group = t.b;
  for (std::int64_t g = 0; g < t.groups; ++g, a += kLanes, group += kLanes * b_row) {
    const float* b = group;
    for (int n = 0; n < t.valid; ++n, b += b_row) {
      LaneVec bs[kVecs];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) bs[i] = hn::Load(d, b + i * kWidth);
      CHALKGRAD_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const auto ar = hn::Set(d, a[r * a_row + n]);
        CHALKGRAD_UNROLL
        for (int i = 0; i < kVecs; ++i) sum[r][i] = fused(ar, bs[i], sum[r][i]);
      }
    }
  }
  CHALKGRAD_UNROLL
  for (int r = 0; r < kRows; ++r) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kVecs; ++i) hn::StoreU(sum[r][i], d, c + r * c_row + i * kWidth);
  }
}

template <int kRows, int kVecs = 1>
HWY_INLINE void run_outer_tile(std::int64_t vecs, const OuterSum& t) {
  if (vecs == kVecs) {
    outer_tile<kRows, kVecs>(t);
  } else if constexpr (kVecs < tile_columns(kRows)) {
    run_outer_tile<kRows, kVecs + 1>(vecs, t);
  }
}

/// kRows rows of c: whole vectors in tiles of nearly equal width, then what is left of the rows through a copy.
template <int kRows>
void outer_rows(OuterSum t, std::int64_t columns) {
  constexpr std::int64_t kWidest = tile_columns(kRows);
  std::int64_t vecs = columns / kWidth;
  for (std::int64_t i = (vecs + kWidest - 1) / kWidest; i > 0; --i) {
    const std::int64_t width = (vecs + i - 1) / i;
    run_outer_tile<kRows>(width, t);
    t.b += width * kWidth;
    t.c += width * kWidth;
    vecs -= width;
  }
  const std::int64_t left = columns % kWidth;
  if (left == 0) return;
  alignas(64) float rest[kRows * kWidth] = {};
  float* const c = t.c;
  for (int r = 0; r < kRows && t.accumulate; ++r) std::copy_n(c + r * t.c_row, left, rest + r * kWidth);
  OuterSum last = t;
  last.c = rest;
  last.c_row = kWidth;
  outer_tile<kRows, 1>(last);
  for (int r = 0; r < kRows; ++r) std::copy_n(rest + r * kWidth, left, c + r * t.c_row);
}

template <int kRows>
HWY_INLINE void outer_rows_while(OuterSum& t, std::int64_t& rows, std::int64_t columns) {
  for (; rows >= kRows; rows -= kRows) {
    outer_rows<kRows>(t, columns);
    t.a += kRows * t.a_row;
    t.c += kRows * t.c_row;
  }
}

/// All of c, rows × columns.
HWY_INLINE void outer_sums(OuterSum t, std::int64_t rows, std::int64_t columns) {
  if constexpr (tile_columns(8) > 1) outer_rows_while<8>(t, rows, columns);
  outer_rows_while<4>(t, rows, columns);
  outer_rows_while<2>(t, rows, columns);
  outer_rows_while<1>(t, rows, columns);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
