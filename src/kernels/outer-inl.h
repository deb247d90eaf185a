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
/// order; or c[i][j] + that sum from +0.
struct OuterSum {
  std::int64_t a_row;  // floats from a row to the next; groups follow each other
  std::int64_t b_row;  // a multiple of 16
  std::int64_t c_row;
  std::int64_t groups = 1;
  int valid = 16;
  bool accumulate = false;  // go on from c
  bool add = false;         // to c
};

template <int kRows, int kVecs>
HWY_NOINLINE void outer_tile(const OuterSum& t, const float* a, const float* b, float* c) {
  const LaneTag d;
  const std::int64_t a_row = t.a_row, b_row = t.b_row, c_row = t.c_row;
  LaneVec sum[kRows][kVecs];
  if (t.accumulate) {
    const float* from = c;
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r, from += c_row) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) sum[r][i] = hn::LoadU(d, from + i * kWidth);
    }
  } else {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) sum[r][i] = hn::Zero(d);
    }
  }
  for (std::int64_t g = 0; g < t.groups; ++g, a += kLanes, b += kLanes * b_row) {
    const float* row = b;
    for (int n = 0; n < t.valid; ++n, row += b_row) {
      LaneVec bs[kVecs];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) bs[i] = hn::Load(d, row + i * kWidth);
      CHALKGRAD_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const auto ar = hn::Set(d, a[r * a_row + n]);
        CHALKGRAD_UNROLL
        for (int i = 0; i < kVecs; ++i) sum[r][i] = fused(ar, bs[i], sum[r][i]);
      }
    }
  }
  if (t.add) {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r, c += c_row) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) hn::StoreU(hn::Add(hn::LoadU(d, c + i * kWidth), sum[r][i]), d, c + i * kWidth);
    }
  } else {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r, c += c_row) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) hn::StoreU(sum[r][i], d, c + i * kWidth);
    }
  }
}

template <int kRows, int kVecs = 1>
HWY_INLINE void run_outer_tile(std::int64_t vecs, const OuterSum& t, const float* a, const float* b, float* c) {
  if (vecs == kVecs) {
    outer_tile<kRows, kVecs>(t, a, b, c);
  } else if constexpr (kVecs < tile_columns(kRows)) {
    run_outer_tile<kRows, kVecs + 1>(vecs, t, a, b, c);
  }
}

/// kRows rows of c: whole vectors in tiles of nearly equal width, then what is left of the rows through a copy.
template <int kRows>
void outer_rows(const OuterSum& t, const float* a, const float* b, float* c, std::int64_t columns) {
  constexpr std::int64_t kWidest = tile_columns(kRows);
  std::int64_t vecs = columns / kWidth;
  for (std::int64_t i = (vecs + kWidest - 1) / kWidest; i > 0; --i) {
    const std::int64_t width = (vecs + i - 1) / i;
    run_outer_tile<kRows>(width, t, a, b, c);
    b += width * kWidth;
    c += width * kWidth;
    vecs -= width;
  }
  const std::int64_t left = columns % kWidth;
  if (left == 0) return;
  alignas(64) float rest[kRows * kWidth] = {};
  for (int r = 0; r < kRows && (t.accumulate || t.add); ++r) std::copy_n(c + r * t.c_row, left, rest + r * kWidth);
  OuterSum last = t;
  last.c_row = kWidth;
  outer_tile<kRows, 1>(last, a, b, rest);
  for (int r = 0; r < kRows; ++r) std::copy_n(rest + r * kWidth, left, c + r * t.c_row);
}

template <int kRows>
HWY_INLINE void outer_rows_while(const OuterSum& t, const float*& a, const float* b, float*& c, std::int64_t& rows,
                                 std::int64_t columns) {
  for (; rows >= kRows; rows -= kRows) {
    outer_rows<kRows>(t, a, b, c, columns);
    a += kRows * t.a_row;
    c += kRows * t.c_row;
  }
}

/// All of c, rows × columns. Pointers go from call to call by themselves, in registers: a structure of them would go
/// through memory, behind the tile before, whose sums are still being stored.
HWY_INLINE void outer_sums(const OuterSum& t, const float* a, const float* b, float* c, std::int64_t rows,
                           std::int64_t columns) {
  if constexpr (tile_columns(8) > 1) {
    outer_rows_while<8>(t, a, b, c, rows, columns);
    outer_rows_while<6>(t, a, b, c, rows, columns);
  }
  outer_rows_while<4>(t, a, b, c, rows, columns);
  outer_rows_while<2>(t, a, b, c, rows, columns);
  outer_rows_while<1>(t, a, b, c, rows, columns);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
