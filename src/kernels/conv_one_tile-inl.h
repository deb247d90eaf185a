// The register tile of one sample: a lane is one of four filters at one of four places. Included once per instruction
// set, after <hwy/foreach_target.h>; hence no ordinary include guard.
//
// x is held as [place][4], each number four times, and z as [place][4 filters], so that weights packed for the tiles of
// conv_tile-inl.h serve here as well and each sum runs over the same taps in the same order.
#if defined(CHALKGRAD_CONV_ONE_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_ONE_TILE_INL_H_
#undef CHALKGRAD_CONV_ONE_TILE_INL_H_
#else
#define CHALKGRAD_CONV_ONE_TILE_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kMostBlocks = kMaxSums / 2;  // of four filters in a tile

/// z[b][j] (+)= Σ_t w[t][b] · x[taps[t] + j·x_step] in order of t, for blocks b of four filters and groups j of four
/// places.
struct OneTile {
  const float* x;
  const std::int64_t* taps;  // offsets from x, in floats
  std::int64_t tap_count;
  std::int64_t x_step;  // floats from a group of places to the next
  const float* w;       // [block][tap][4], of the tile and of those that follow it
  float* z;
  std::int64_t z_block, z_step;  // floats from a block, a group of places, to the next
  bool accumulate = false;       // go on from z instead of +0
};

/// The weights of four filters, for each place of a vector that begins at lane `part`.
HWY_INLINE LaneVec load_filters(const float* w, [[maybe_unused]] int part) {
  if constexpr (kWidth >= kWeightBlock) {
    return hn::LoadDup128(LaneTag(), w);
  } else {
    return hn::LoadU(LaneTag(), w + part % kWeightBlock);
  }
}

template <int kBlocks, int kGroups>
HWY_NOINLINE void run_one_tile(const OneTile& t) {
  const LaneTag d;
  const bool accumulate = t.accumulate;
  const std::int64_t x_step = t.x_step, z_block = t.z_block, z_step = t.z_step, w_block = t.tap_count * kWeightBlock;
  for (int part = 0; part < 16; part += kWidth) {
    float* const z = t.z + part;
    LaneVec sum[kBlocks][kGroups];
    if (accumulate) {
      CHALKGRAD_UNROLL
      for (int b = 0; b < kBlocks; ++b) {
        CHALKGRAD_UNROLL
        for (int j = 0; j < kGroups; ++j) sum[b][j] = hn::LoadU(d, z + b * z_block + j * z_step);
      }
    } else {
      CHALKGRAD_UNROLL
      for (int b = 0; b < kBlocks; ++b) {
        CHALKGRAD_UNROLL
        for (int j = 0; j < kGroups; ++j) sum[b][j] = hn::Zero(d);
      }
    }
    const float* const x = t.x + part;
    // Weights of the tile after the next come into the second cache, which can wait for more lines at a time than the
    // first.
    const float *w = t.w, *next = t.w + 2 * kBlocks * w_block;
    for (const std::int64_t *tap = t.taps, *end = tap + t.tap_count; tap != end; ++tap, w += kWeightBlock) {
      CHALKGRAD_UNROLL
      for (int b = 0; b < kBlocks; b += 4) __builtin_prefetch(next + b * kWeightBlock, 0, 2);
      next += kBlocks * kWeightBlock;
      LaneVec xs[kGroups];
      CHALKGRAD_UNROLL
      for (int j = 0; j < kGroups; ++j) xs[j] = hn::LoadU(d, x + *tap + j * x_step);
      CHALKGRAD_UNROLL
      for (int b = 0; b < kBlocks; ++b) {
        const auto wb = load_filters(w + b * w_block, part);
        CHALKGRAD_UNROLL
        for (int j = 0; j < kGroups; ++j) sum[b][j] = fused(xs[j], wb, sum[b][j]);
      }
    }
    CHALKGRAD_UNROLL
    for (int b = 0; b < kBlocks; ++b) {
      CHALKGRAD_UNROLL
      for (int j = 0; j < kGroups; ++j) hn::StoreU(sum[b][j], d, z + b * z_block + j * z_step);
    }
  }
}

template <int kBlocks, int kGroups = 1>
HWY_INLINE void run_one_groups(const OneTile& t, std::int64_t groups) {
  if (groups == kGroups) {
    run_one_tile<kBlocks, kGroups>(t);
  } else if constexpr (kGroups < tile_columns(kBlocks)) {
    run_one_groups<kBlocks, kGroups + 1>(t, groups);
  }
}

template <int kBlocks = 1>
HWY_INLINE void run_one_blocks(const OneTile& t, std::int64_t blocks, std::int64_t groups) {
  if (blocks == kBlocks) {
    run_one_groups<kBlocks>(t, groups);
  } else if constexpr (kBlocks < kMostBlocks) {
    run_one_blocks<kBlocks + 1>(t, blocks, groups);
  }
}

/// How many blocks of four filters a tile takes: of all `blocks`, in tiles of nearly equal height, the `done` first are
/// done. Few groups of places take more blocks, so that there are enough independent sums to hide an FMA's latency.
HWY_INLINE std::int64_t one_tile_blocks(std::int64_t blocks, std::int64_t done, std::int64_t groups) {
  const std::int64_t most = kMaxSums / std::clamp<std::int64_t>(groups, 2, 4);
  const std::int64_t left = (blocks - done + most - 1) / most;
  return (blocks - done + left - 1) / left;
}

/// Any number of groups of places, for as many blocks as one_tile_blocks() said: in tiles of nearly equal width.
HWY_INLINE void run_one_row(OneTile t, std::int64_t blocks, std::int64_t groups) {
  const std::int64_t widest = tile_columns(static_cast<int>(blocks));
  for (std::int64_t left = groups, tiles = (groups + widest - 1) / widest; tiles > 0; --tiles) {
    const std::int64_t width = (left + tiles - 1) / tiles;
    run_one_blocks(t, blocks, width);
    t.x += width * t.x_step;
    t.z += width * t.z_step;
    left -= width;
  }
}

/// to[place][4] = from[place · step], four times each. Whole vectors are read and written: up to 15 floats beyond the
/// end of `from`, and 12 beyond that of `to`.
HWY_INLINE void repeat_places(const float* from, std::int64_t step, std::int64_t count, float* to) {
  constexpr int kPlaces = kWidth / 4;  // in a vector
  if constexpr (kPlaces > 1) {
    if ((kPlaces - 1) * step < kWidth) {
      const LaneTag d;
      alignas(64) std::int32_t lanes[kWidth];
      for (int i = 0; i < kWidth; ++i) lanes[i] = static_cast<std::int32_t>(i / 4 * step);
      const auto indices = hn::SetTableIndices(d, lanes);
      for (std::int64_t i = 0; i < count; i += kPlaces) {  // a short load may follow on the heels of a store
        const auto v = step == 1 ? hn::LoadDup128(d, from + i) : hn::LoadU(d, from + i * step);
        hn::StoreU(hn::TableLookupLanes(v, indices), d, to + i * 4);
      }
      return;
    }
  }
  for (std::int64_t i = 0; i < count; ++i) std::fill_n(to + i * 4, 4, from[i * step]);
}

/// to[f][place] = from[place][f] for the first `filters` of four; `from` is readable in whole vectors. `more`: how many
/// places will be written after these, so that what is there does not matter yet.
HWY_INLINE void split_filters(const float* from, std::int64_t count, std::int64_t more, std::int64_t filters, float* to,
                              std::int64_t to_plane) {
  const LaneTag d;
  for (std::int64_t i = 0; i < count; i += kWidth) {
    LaneVec v[kWeightBlock];
    hn::LoadInterleaved4(d, from + i * 4, v[0], v[1], v[2], v[3]);
    const std::int64_t places = std::min<std::int64_t>(kWidth, count - i);
    for (std::int64_t f = 0; f < filters; ++f) {
      if (places + more >= kWidth) {
        hn::StoreU(v[f], d, to + f * to_plane + i);
      } else {
        alignas(64) float rest[kWidth];
        hn::Store(v[f], d, rest);
        std::copy_n(rest, places, to + f * to_plane + i);
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
