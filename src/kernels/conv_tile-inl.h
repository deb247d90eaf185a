// The register tile that forward and input gradient share: some filters × some columns, sixteen samples each. Included
// once per instruction set, after <hwy/foreach_target.h>; hence no ordinary include guard.
//
// Tiles only group independent sums. Every sum runs over its taps one after another, so its bits do not depend on the
// tile, and each instruction set may choose the tile its registers hold best.
#if defined(CHALKGRAD_CONV_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_TILE_INL_H_
#undef CHALKGRAD_CONV_TILE_INL_H_
#else
#define CHALKGRAD_CONV_TILE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "src/base/lanes-inl.h"
#include "src/kernels/conv.h"
#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr std::int64_t kLanes = 16;
constexpr int kWeightBlock = 4;  // filters whose weights are packed side by side
constexpr int kMaxColumns = 6;
/// Floats of a result beyond which it leaves the caches before it is read: whole lines of it are then written past
/// them, as those of a tile lie in many planes. Whoever does so ends with hwy::FlushStream(), as such stores obey no
/// other order.
constexpr std::int64_t kFarFloats = 1 << 20;
constexpr bool is_far(std::int64_t floats) { return kWidth == kLanes && floats > kFarFloats; }
constexpr int tile_columns(int filters) { return std::min(kMaxColumns, kMaxSums / filters); }

/// z[f][j] (+)= Σ_t w[t][f] · x[taps[t] + j·x_step], in order of t.
struct ConvTile {
  const float* x;
  const std::int64_t* taps;  // offsets from x, in floats
  std::int64_t tap_count;
  std::int64_t x_step;   // floats from a column to the next
  const float* w;        // [blocks of 4 filters][tap][4]
  std::int64_t w_block;  // floats from a block of 4 filters to the next
  float* z;
  std::int64_t z_plane, z_step;  // floats from a filter, a column, to the next
  bool accumulate = false;       // go on from z instead of +0
  const float* bias = nullptr;   // of the tile's first filter
  Relu relu{};
  bool far = false;                                 // z is written past the caches: is_far()
  std::int64_t times = 1;                           // the same for as many x, w and z, which lie
  std::int64_t x_next = 0, w_next = 0, z_next = 0;  // floats apart
};

constexpr float kNoBias = -0.0f;  // z + −0 is z for every z

/// max(0, z), where relu(−0) = −0 and relu(NaN) = NaN.
HWY_INLINE LaneVec relu_vec(LaneVec z) {
  const auto zero = hn::Zero(LaneTag());
  return hn::IfThenElse(hn::Lt(z, zero), zero, z);
}
/// min(z, relu.most), or NaN.
HWY_INLINE LaneVec limited(const Relu& relu, LaneVec z) {
  const auto most = hn::Set(LaneTag(), relu.most);
  return hn::IfThenElse(hn::Lt(most, z), most, z);
}
/// z, or relu of it.
HWY_INLINE LaneVec relu_vec(const Relu& relu, LaneVec z) { return relu ? limited(relu, relu_vec(z)) : z; }

/// kStep is x_step and z_step where they are worth knowing to the compiler, else 0.
template <int kFilters, int kColumns, int kStep>
HWY_NOINLINE void run_tile(const ConvTile& t) {
  const LaneTag d;
  // Copies: the compiler must assume that storing a float changes t.
  const std::int64_t x_step = kStep ? kStep : t.x_step, z_step = kStep ? kStep : t.z_step;
  const std::int64_t w_block = t.w_block, z_plane = t.z_plane, times = t.times;
  const std::int64_t* const taps = t.taps;
  const std::int64_t* const taps_end = taps + t.tap_count;
  const Relu relu = t.relu;
  const bool far = t.far;
  const bool accumulate = t.accumulate, finish = t.bias || relu;
  const float *all_x = t.x, *all_w = t.w;
  float* all_z = t.z;
  for (std::int64_t time = 0; time < times; ++time, all_x += t.x_next, all_w += t.w_next, all_z += t.z_next) {
    for (int part = 0; part < 16; part += kWidth) {
      LaneVec sum[kFilters][kColumns];
      if (accumulate) {
        const float* z = all_z + part;
        CHALKGRAD_UNROLL
        for (int f = 0; f < kFilters; ++f, z += z_plane) {
          CHALKGRAD_UNROLL
          for (int j = 0; j < kColumns; ++j) sum[f][j] = hn::Load(d, z + j * z_step);
        }
      } else {
        CHALKGRAD_UNROLL
        for (int f = 0; f < kFilters; ++f) {
          CHALKGRAD_UNROLL
          for (int j = 0; j < kColumns; ++j) sum[f][j] = hn::Zero(d);
        }
      }
      const float* const x = all_x + part;
      const float* w = all_w;
      for (const std::int64_t* tap = taps; tap != taps_end; ++tap, w += kWeightBlock) {
        LaneVec xs[kColumns];
        CHALKGRAD_UNROLL
        for (int j = 0; j < kColumns; ++j) xs[j] = hn::LoadU(d, x + *tap + j * x_step);
        if constexpr (kFilters > kWeightBlock && kColumns <= 2) {  // weights that serve so few may come from far away
          CHALKGRAD_UNROLL
          for (int f = 0; f < kFilters; f += kWeightBlock)
            __builtin_prefetch(w + (kFilters + f) / kWeightBlock * w_block);
        }
        CHALKGRAD_UNROLL
        for (int f = 0; f < kFilters; ++f) {
          const auto wf = hn::Set(d, w[f / kWeightBlock * w_block + f % kWeightBlock]);
          CHALKGRAD_UNROLL
          for (int j = 0; j < kColumns; ++j) sum[f][j] = fused(xs[j], wf, sum[f][j]);
        }
      }
      if (finish) {
        CHALKGRAD_UNROLL
        for (int f = 0; f < kFilters; ++f) {
          const auto bias = hn::Set(d, t.bias ? t.bias[f] : kNoBias);
          CHALKGRAD_UNROLL
          for (int j = 0; j < kColumns; ++j) {
            sum[f][j] = hn::Add(sum[f][j], bias);
            sum[f][j] = relu_vec(relu, sum[f][j]);
          }
        }
      }
      float* z = all_z + part;
      CHALKGRAD_UNROLL
      for (int f = 0; f < kFilters; ++f, z += z_plane) {
        CHALKGRAD_UNROLL
        for (int j = 0; j < kColumns; ++j) {
          if (kWidth == kLanes && far) {
            hn::Stream(sum[f][j], d, z + j * z_step);
          } else {
            hn::Store(sum[f][j], d, z + j * z_step);
          }
        }
      }
    }
  }
}

template <int kFilters, int kStep, int kColumns = 1>
HWY_INLINE void run_width(const ConvTile& t, std::int64_t columns) {
  if (columns == kColumns) {
    run_tile<kFilters, kColumns, kStep>(t);
  } else if constexpr (kColumns < tile_columns(kFilters)) {
    run_width<kFilters, kStep, kColumns + 1>(t, columns);
  }
}

template <int kStep>
HWY_INLINE void run_filters(const ConvTile& t, std::int64_t filters, std::int64_t columns) {
  switch (filters) {  // the last few of a layer are not worth code of their own for each step
    case 1:
      return run_width<1, 0>(t, columns);
    case 2:
      return run_width<2, 0>(t, columns);
    case 3:
      return run_width<3, 0>(t, columns);
    case 4:
      return run_width<4, kStep>(t, columns);
    case 8:
      return run_width<8, kStep>(t, columns);
    default:
      return run_width<12, kStep>(t, columns);
  }
}

/// How many of the `filters` left the next tile takes, when rows are `columns` wide: those that fill registers best.
/// (Narrow rows take more filters, so that there are enough independent sums to hide an FMA's latency.)
HWY_INLINE std::int64_t tile_filters(std::int64_t filters, std::int64_t columns) {
  const auto total = static_cast<std::uint32_t>(columns);
  const auto sums = [&](std::uint32_t many) {  // in a tile, on average
    const auto widest = static_cast<std::uint32_t>(tile_columns(static_cast<int>(many)));
    const std::uint32_t tiles = (total + widest - 1) / widest;
    return static_cast<float>(many * total) / static_cast<float>(tiles);
  };
  std::int64_t best = std::min<std::int64_t>(filters, kWeightBlock);
  float most = sums(kWeightBlock);
  for (const int many : {8, 12}) {
    const bool narrow = tile_columns(many) < std::min<std::int64_t>(columns, 2);  // a weight would serve one product
    if (filters < many || narrow || sums(static_cast<std::uint32_t>(many)) <= most) continue;
    best = many;
    most = sums(static_cast<std::uint32_t>(many));
  }
  return best;
}

/// `columns` columns of z for as many filters as tile_filters() said: in tiles of nearly equal width.
HWY_INLINE void run_columns(ConvTile t, std::int64_t filters, std::int64_t columns) {
  const auto total = static_cast<std::uint32_t>(columns);
  const auto widest = static_cast<std::uint32_t>(tile_columns(static_cast<int>(filters)));
  const std::uint32_t tiles = (total + widest - 1) / widest, narrow = total / tiles, wider = total % tiles;
  for (std::uint32_t i = 0; i < tiles; ++i) {
    const std::int64_t width = narrow + (i < wider);
    if (t.x_step == kLanes && t.z_step == kLanes) {
      run_filters<kLanes>(t, filters, width);
    } else {
      run_filters<0>(t, filters, width);
    }
    t.x += width * t.x_step;
    t.z += width * t.z_step;
  }
}

/// How many columns all filters should go over before the next columns: as many as keep what they read of x in the
/// nearest cache, if that is enough columns to fill tiles. `x_columns`: elements of x read for one column more.
HWY_INLINE std::int64_t row_chunk(std::int64_t columns, std::int64_t x_columns) {
  constexpr std::int64_t kNearElements = 400;
  if (columns <= kMaxColumns) return columns;
  const std::int64_t fit = kNearElements / x_columns / kMaxColumns * kMaxColumns;
  return fit > 0 ? fit : columns;
}

/// A row of z for any number of filters, `chunk` columns at a time. Not inlined: it is large, and many kernels call it.
HWY_NOINLINE inline void run_row(ConvTile t, std::int64_t filters, std::int64_t columns, std::int64_t chunk) {
  for (std::int64_t left = columns; left > 0; left -= chunk) {
    const std::int64_t width = std::min(left, chunk);
    ConvTile part = t;
    for (std::int64_t f = 0, n = 0; f < filters; f += n) {
      n = tile_filters(filters - f, width);
      run_columns(part, n, width);
      part.w += n / kWeightBlock * t.w_block;
      part.z += n * t.z_plane;
      if (t.bias) part.bias += n;
    }
    t.x += chunk * t.x_step;
    t.z += chunk * t.z_step;
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
