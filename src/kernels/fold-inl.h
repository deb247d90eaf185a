// Folding the sixteen lanes of many sums at once, and transposing lanes. Included once per instruction set, after
// <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_FOLD_INL_H_
#undef CHALKGRAD_FOLD_INL_H_
#else
#define CHALKGRAD_FOLD_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

// A vector is seen as chunks of kChunk lanes: 0, 1, 2, …
#if HWY_TARGET == HWY_SCALAR  // a vector is one float: there is nothing to move
template <int kChunk>
HWY_INLINE LaneVec interleave_chunks(LaneVec even, LaneVec) {
  return even;
}
template <int kChunk>
HWY_INLINE LaneVec swap_chunks(LaneVec v) {
  return v;
}
#else

/// The even chunks of `even` and the odd chunks of `odd`, each where it was.
template <int kChunk>
HWY_INLINE LaneVec interleave_chunks(LaneVec even, LaneVec odd) {
  const LaneTag d;
  if constexpr (kChunk == 1) {
    return hn::OddEven(odd, even);
  } else if constexpr (2 * kChunk == kWidth) {
    return hn::ConcatUpperLower(d, odd, even);
  } else if constexpr (kChunk == 2) {
    const hn::Repartition<std::uint64_t, LaneTag> wide;
    return hn::BitCast(d, hn::OddEven(hn::BitCast(wide, odd), hn::BitCast(wide, even)));
  } else {
    return hn::OddEvenBlocks(odd, even);
  }
}

/// Chunks 0 and 1 changed places, and 2 and 3, …
template <int kChunk>
HWY_INLINE LaneVec swap_chunks(LaneVec v) {
  if constexpr (kChunk == 1) {
    return hn::Shuffle2301(v);
  } else if constexpr (kChunk == 2) {
    return hn::Shuffle1032(v);
  } else if constexpr (2 * kChunk == kWidth) {
    return hn::ConcatLowerUpper(LaneTag(), v, v);
  } else {
    return hn::SwapAdjacentBlocks(v);
  }
}
#endif

/// v[i] for i < kChunk becomes the pairwise sums of v[i]'s chunks and of v[i + kChunk]'s; and so on down to one vector
/// v[0], whose lane i is the fold of what was v[i]. This is the tree of adding lane i + 8, then + 4, + 2, + 1, as
/// adding in either order gives the same bits.
template <int kChunk = kWidth / 2>
HWY_INLINE void fold_vectors(LaneVec* v) {
  if constexpr (kChunk > 0) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kChunk; ++i) {
      const auto straight = interleave_chunks<kChunk>(v[i], v[i + kChunk]);
      const auto crossed = interleave_chunks<kChunk>(v[i + kChunk], v[i]);
      v[i] = hn::Add(straight, swap_chunks<kChunk>(crossed));
    }
    fold_vectors<kChunk / 2>(v);
  }
}

/// Which lanes count: the first `valid`.
struct ValidLanes {
  hn::Mask<LaneTag> piece[kPieces];
};
HWY_INLINE ValidLanes first_lanes(int valid) {
  ValidLanes m;
  for (int p = 0; p < kPieces; ++p) {
    const int n = std::clamp(valid - p * kWidth, 0, kWidth);
    m.piece[p] = hn::FirstN(LaneTag(), static_cast<std::size_t>(n));
  }
  return m;
}

/// Lane i is the fold of sums[i][0 … 15], where lanes outside `valid` count as 0, for i < kWidth.
HWY_INLINE LaneVec fold_sums(const float* sums, const ValidLanes& valid) {
  const LaneTag d;
  LaneVec v[kWidth];
  CHALKGRAD_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    LaneVec piece[kPieces];
    CHALKGRAD_UNROLL
    for (int p = 0; p < kPieces; ++p) {
      piece[p] = hn::IfThenElseZero(valid.piece[p], hn::Load(d, sums + i * 16 + p * kWidth));
    }
    for (int half = kPieces / 2; half > 0; half /= 2) {
      for (int p = 0; p < half; ++p) piece[p] = hn::Add(piece[p], piece[p + half]);
    }
    v[i] = piece[0];
  }
  fold_vectors(v);
  return v[0];
}

/// Transposes kWidth vectors: lane j of v[i] and lane i of v[j] change places.
template <int kChunk = kWidth / 2>
HWY_INLINE void transpose_vectors(LaneVec* v) {
  if constexpr (kChunk > 0) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      if (i & kChunk) continue;
      const auto even = interleave_chunks<kChunk>(v[i], swap_chunks<kChunk>(v[i + kChunk]));
      v[i + kChunk] = interleave_chunks<kChunk>(swap_chunks<kChunk>(v[i]), v[i + kChunk]);
      v[i] = even;
    }
    transpose_vectors<kChunk / 2>(v);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
