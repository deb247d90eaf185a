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
#include "src/kernels/fold.h"

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

/// c[i][j] = (c[i][j] or +0) + Σ_g Σ_n a[i][g][n] · b[g][n][j] over groups g of sixteen samples, fma-accumulated in
/// order; with several slots (groups s, s + slots, s + 2·slots … are those of slot s) that sum for each slot from +0,
/// folded as in fold.h.
struct OuterSum {
  std::int64_t a_row, b_row, c_row;  // floats from a row to the next; of b a multiple of 16
  std::int64_t a_group, b_group;     // from a group to the next
  std::int64_t groups;
  int valid, last;          // samples n that count: the first so many of a group, of the last group
  bool accumulate = false;  // go on from c (one slot only)
  const FoldOrder& slots;
};

/// What becomes of the sums: they are c.
struct StoreSums {
  template <int kRows, int kVecs>
  HWY_INLINE void tile(LaneVec (&sum)[kRows][kVecs], float* c, std::int64_t c_row) const {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) hn::StoreU(sum[r][i], LaneTag(), c + r * c_row + i * kWidth);
    }
  }
  void one(float sum, float* c) const { *c = sum; }
};

/// Most vectors that a tile is wide: what tall tiles hold; few rows, of which there are few, need not have all
/// registers.
constexpr int outer_columns(int rows) { return std::min(3, tile_columns(rows)); }

template <int kRows, int kVecs, class Then>
HWY_NOINLINE void outer_tile(const OuterSum& t, const Then& then, const float* a, const float* b, float* c) {
  const LaneTag d;
  const std::int64_t a_row = t.a_row, b_row = t.b_row, c_row = t.c_row, groups = t.groups;
  const int slots = t.slots.slots;
  alignas(64) float kept[FoldOrder::kMostKept][kRows][kVecs * kWidth];
  LaneVec sum[kRows][kVecs];
  if (t.accumulate) {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) sum[r][i] = hn::LoadU(d, c + r * c_row + i * kWidth);
    }
  } else {
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) sum[r][i] = hn::Zero(d);
    }
  }
  for (int leaf = 0, level = 0;;) {
    for (std::int64_t g = t.slots.leaves[leaf].slot; g < groups; g += slots) {
      const float* ag = a + g * t.a_group;
      const float* row = b + g * t.b_group;
      const float* const end = ag + (g + 1 < groups ? t.valid : t.last);
      for (; ag != end; ++ag, row += b_row) {
        LaneVec bs[kVecs];
        CHALKGRAD_UNROLL
        for (int i = 0; i < kVecs; ++i) bs[i] = hn::Load(d, row + i * kWidth);
        CHALKGRAD_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const auto ar = hn::Set(d, ag[r * a_row]);
          CHALKGRAD_UNROLL
          for (int i = 0; i < kVecs; ++i) sum[r][i] = fused(ar, bs[i], sum[r][i]);
        }
      }
    }
    for (int adds = t.slots.leaves[leaf].adds; adds > 0; --adds) {
      --level;
      CHALKGRAD_UNROLL
      for (int r = 0; r < kRows; ++r) {
        CHALKGRAD_UNROLL
        for (int i = 0; i < kVecs; ++i) sum[r][i] = hn::Add(hn::Load(d, kept[level][r] + i * kWidth), sum[r][i]);
      }
    }
    if (++leaf == slots) break;
    CHALKGRAD_UNROLL
    for (int r = 0; r < kRows; ++r) {
      CHALKGRAD_UNROLL
      for (int i = 0; i < kVecs; ++i) {
        hn::Store(sum[r][i], d, kept[level][r] + i * kWidth);
        sum[r][i] = hn::Zero(d);
      }
    }
    ++level;
  }
  then.tile(sum, c, c_row);
}

template <int kRows, int kVecs = 1, class Then>
HWY_INLINE void run_outer_tile(std::int64_t vecs, const OuterSum& t, const Then& then, const float* a, const float* b,
                               float* c) {
  if (vecs == kVecs) {
    outer_tile<kRows, kVecs>(t, then, a, b, c);
  } else if constexpr (kVecs < outer_columns(kRows)) {
    run_outer_tile<kRows, kVecs + 1>(vecs, t, then, a, b, c);
  }
}

/// kRows rows of c: whole vectors in tiles of nearly equal width, then what is left of the rows through a copy.
template <int kRows, class Then>
void outer_rows(const OuterSum& t, const Then& then, const float* a, const float* b, float* c, std::int64_t columns) {
  constexpr std::int64_t kWidest = outer_columns(kRows);
  std::int64_t vecs = columns / kWidth;
  for (std::int64_t i = (vecs + kWidest - 1) / kWidest; i > 0; --i) {
    const std::int64_t width = (vecs + i - 1) / i;
    run_outer_tile<kRows>(width, t, then, a, b, c);
    b += width * kWidth;
    c += width * kWidth;
    vecs -= width;
  }
  const std::int64_t left = columns % kWidth;
  if (left == 0) return;
  alignas(64) float rest[kRows * kWidth] = {};
  for (int r = 0; r < kRows && t.accumulate; ++r) std::copy_n(c + r * t.c_row, left, rest + r * kWidth);
  OuterSum last = t;
  last.c_row = kWidth;
  outer_tile<kRows, 1>(last, StoreSums(), a, b, rest);
  for (int r = 0; r < kRows; ++r) {
    for (std::int64_t k = 0; k < left; ++k) then.one(rest[r * kWidth + k], c + r * t.c_row + k);
  }
}

template <int kRows, class Then>
HWY_INLINE void outer_rows_while(const OuterSum& t, const Then& then, const float*& a, const float* b, float*& c,
                                 std::int64_t& rows, std::int64_t columns) {
  for (; rows >= kRows; rows -= kRows) {
    outer_rows<kRows>(t, then, a, b, c, columns);
    a += kRows * t.a_row;
    c += kRows * t.c_row;
  }
}

/// All of c, rows × columns. Pointers go from call to call one by one, in registers: a structure of them would go
/// through memory, behind the tile before, whose sums are still being stored.
template <class Then>
HWY_INLINE void outer_sums(const OuterSum& t, const Then& then, const float* a, const float* b, float* c,
                           std::int64_t rows, std::int64_t columns) {
  if constexpr (outer_columns(8) > 1) outer_rows_while<8>(t, then, a, b, c, rows, columns);
  outer_rows_while<4>(t, then, a, b, c, rows, columns);
  outer_rows_while<2>(t, then, a, b, c, rows, columns);
  outer_rows_while<1>(t, then, a, b, c, rows, columns);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
