// dw = Gᵀ[Σ (A dz Aᵀ) ⊙ (Bᵀ x B)]G, summed over tiles of z and over samples: the transpose of Winograd's forward map.
#include <algorithm>

#include "src/kernels/conv_winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_winograd_weight_grad.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_winograd-inl.h"
#include "src/kernels/outer-inl.h"

#ifndef CHALKGRAD_CONV_WINOGRAD_WEIGHT_GRAD_ONCE_
#define CHALKGRAD_CONV_WINOGRAD_WEIGHT_GRAD_ONCE_
namespace chalk {
namespace {

// Tiles done together, at most, so that their points stay in cache; fewer where the sums are so few that they stay
// there from band to band.
constexpr std::int64_t kBandTiles = 8, kFewTiles = 3;
constexpr std::int64_t kNearSums = 3 << 16;
// Where there is one band, its sums become weights block by block, while they are in the next cache.
constexpr std::int64_t kBlockColumns = 48, kBlockSums = 1 << 17;

/// How a shape is gone about: bands of tiles, one after another.
struct WinogradGradPlan {
  std::int64_t points, weight_planes;
  std::int64_t across, tiles;                  // tiles of z: in a row, in all
  std::int64_t bands, most;                    // most tiles in a band
  std::int64_t columns;                        // filters, filled up to vectors
  std::int64_t block_channels, block_columns;  // whose sums there is room for: all, unless there is one band
  std::int64_t v_plane, u_plane, m_plane;
  std::int64_t v_floats, u_floats, m_floats, t_floats;  // scratch, in this order
};

WinogradGradPlan plan_winograd_grad(const ConvShape& s) {
  WinogradGradPlan p;
  p.points = winograd_points(s);
  p.weight_planes = winograd_weight_planes(s);
  p.across = (s.out_w + 3) / 4;
  p.tiles = (s.out_h + 3) / 4 * p.across;
  p.columns = (s.filters + 15) / 16 * 16;
  const std::int64_t most = p.weight_planes * s.channels * p.columns <= kNearSums ? kFewTiles : kBandTiles;
  p.bands = (p.tiles + most - 1) / most;
  p.most = (p.tiles + p.bands - 1) / p.bands;
  p.v_plane = s.channels * p.most * 16 + kWinogradGap;
  p.u_plane = p.most * 16 * p.columns + kWinogradGap;
  p.block_channels = s.channels;
  p.block_columns = p.columns;
  if (p.bands == 1) {
    p.block_columns = std::min(kBlockColumns, p.columns);
    p.block_channels = std::min(kBlockSums / (p.weight_planes * p.block_columns) / 8 * 8, s.channels);
  }
  p.m_plane = p.block_channels * p.block_columns + kWinogradGap;
  p.v_floats = p.points * p.v_plane;
  p.u_floats = p.points * p.u_plane;
  p.m_floats = p.weight_planes * p.m_plane;
  p.t_floats = 16 * 16 * 16;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// u[k][t][n][f] = (A dz Aᵀ)[k] of `count` tiles, the first `valid` samples n and some filters: lanes are filters here.
template <class F>
void dz_to_filter_points(const ConvShape& s, const WinogradGradPlan& p, const Interval& filters, const float* dz,
                         std::int64_t first, std::int64_t count, int valid, float* u, float* tile) {
  const std::int64_t plane = s.out_h * s.out_w * kLanes;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t top = (first + t) / p.across * kTile, left = (first + t) % p.across * kTile;
    for (std::int64_t f = filters.begin; f < filters.end; f += kLanes) {
      for (std::int64_t i = 0; i < kTile * kTile; ++i) {  // tile[place][n][f]
        const std::int64_t row = top + i / kTile, column = left + i % kTile;
        const bool inside = row < s.out_h && column < s.out_w;
        const float* const from = inside ? dz + f * plane + (row * s.out_w + column) * kLanes : dz;
        transpose_lanes(from, plane, inside ? s.filters - f : 0, tile + i * kLanes * kLanes, kLanes);
      }
      for (int n = 0; n < valid; ++n) {
        square_to_points<typename F::PlacesTransposed>(tile + n * kLanes, kLanes * kLanes, kTile * kLanes * kLanes,
                                                       u + (t * kLanes + n) * p.columns + f, p.u_plane);
      }
    }
  }
}

/// to[i · step + k] (+)= w[k][i] for `count` filters i.
template <int kWeights>
HWY_INLINE void store_weights(const float (&w)[kWeights][kWidth], std::int64_t count, bool accumulate, float* to,
                              std::int64_t step) {
  const LaneTag d;
  if constexpr (kWeights < kWidth) {
    const auto there = hn::FirstN(d, kWeights);
    LaneVec v[kWidth];
    CHALKGRAD_UNROLL
    for (int k = 0; k < kWidth; ++k) v[k] = k < kWeights ? hn::Load(d, w[k]) : hn::Zero(d);
    transpose_vectors(v);
    for (std::int64_t i = 0; i < count; ++i, to += step) {
      hn::BlendedStore(accumulate ? hn::Add(hn::MaskedLoad(there, d, to), v[i]) : v[i], there, d, to);
    }
  } else {  // whole vectors; the last one overlaps the one before
    constexpr int kVecs = (kWeights + kWidth - 1) / kWidth;
    LaneVec v[kVecs][kWidth];
    CHALKGRAD_UNROLL
    for (int j = 0; j < kVecs; ++j) {
      CHALKGRAD_UNROLL
      for (int r = 0; r < kWidth; ++r) v[j][r] = hn::Load(d, w[std::min(j * kWidth, kWeights - kWidth) + r]);
      transpose_vectors(v[j]);
    }
    for (std::int64_t i = 0; i < count; ++i, to += step) {
      LaneVec sum[kVecs];
      CHALKGRAD_UNROLL
      for (int j = 0; j < kVecs; ++j) {
        const float* const old = to + std::min(j * kWidth, kWeights - kWidth);
        sum[j] = accumulate ? hn::Add(hn::LoadU(d, old), v[j][i]) : v[j][i];
      }
      CHALKGRAD_UNROLL
      for (int j = 0; j < kVecs; ++j) hn::StoreU(sum[j], d, to + std::min(j * kWidth, kWeights - kWidth));
    }
  }
}

/// dw[f][c] (+)= Gᵀ m[·][c][f] G of a block, with whose first channel and filter m begins, some filters at a time.
template <class F>
void weights_from_sums(const ConvShape& s, const WinogradGradPlan& p, const Interval& channels, const Interval& filters,
                       const float* m, bool accumulate, float* dw) {
  using Weights = typename F::WeightsTransposed;
  constexpr int kWeights = F::kSize * F::kSize;
  const LaneTag d;
  alignas(64) float w[kWeights][kWidth];
  for (std::int64_t f = filters.begin; f < std::min(filters.end, s.filters); f += kWidth) {
    for (std::int64_t c = channels.begin; c < channels.end; ++c) {
      const float* const from = m + (c - channels.begin) * p.block_columns + f - filters.begin;
      const auto load = [&](int i, int j) HWY_ATTR { return hn::Load(d, from + (i * Weights::kFrom + j) * p.m_plane); };
      const auto store = [&](int a, int b, LaneVec weights) HWY_ATTR { hn::Store(weights, d, w[a * F::kSize + b]); };
      transform<Weights, false>(load, store);
      store_weights<kWeights>(w, std::min<std::int64_t>(kWidth, s.filters - f), accumulate,
                              dw + (f * s.channels + c) * kWeights, s.channels * kWeights);
    }
  }
}

/// What differs by the filtering.
struct GradTransforms {
  void (*of_x)(const ConvShape& s, const TileGrid& grid, const float* x, std::int64_t count, float* v,
               std::int64_t v_plane);
  void (*of_dz)(const ConvShape& s, const WinogradGradPlan& p, const Interval& filters, const float* dz,
                std::int64_t first, std::int64_t count, int valid, float* u, float* tile);
  void (*of_sums)(const ConvShape& s, const WinogradGradPlan& p, const Interval& channels, const Interval& filters,
                  const float* m, bool accumulate, float* dw);
};

/// Shares are of the channels or of the filters, as there are more of them: the points of the others are made by every
/// thread.
void weight_grad(const GradTransforms& transforms, const ConvShape& s, const WinogradGradPlan& p, const float* x,
                 const float* dz, float* dw, int valid, bool accumulate, float* scratch, Share share) {
  const bool of_channels = s.channels >= p.columns;
  const Interval channels = of_channels ? share.of(s.channels, 8) : Interval{0, s.channels};
  const Interval columns = of_channels ? Interval{0, p.columns} : share.of(p.columns, kLanes);
  ConvShape read = s;  // of x
  read.channels = channels.size();
  const std::int64_t x_first = channels.begin * s.height * s.width * kLanes, row = p.most * kLanes;
  float* const v = scratch;
  float* const u = v + p.v_floats;
  float* const m = u + p.u_floats;
  float* const tile = m + p.m_floats;
  const FoldOrder one_slot(1);
  for (std::int64_t band = 0; band < p.bands; ++band) {
    const std::int64_t first = p.tiles * band / p.bands, count = p.tiles * (band + 1) / p.bands - first;
    transforms.of_x(read, {p.across, first, p.most}, x + x_first, count, v, p.v_plane);
    transforms.of_dz(s, p, columns, dz, first, count, valid, u, tile);
    for (std::int64_t f = columns.begin; f < columns.end; f += p.block_columns) {
      const Interval some_columns{f, std::min(f + p.block_columns, columns.end)};
      for (std::int64_t c = channels.begin; c < channels.end; c += p.block_channels) {
        const Interval some_channels{c, std::min(c + p.block_channels, channels.end)};
        std::uint64_t begun = 0;  // planes of sums; of points that meet the same weights, the sums are one
        for (std::int64_t k = 0; k < p.points; ++k) {  // m[plane][c][f] (+)= Σ_t Σ_n v[k][c][t][n] · u[k][t][n][f]
          const std::int64_t plane = winograd_weight_plane(s, k);
          const bool goes_on = band > 0 || (begun >> plane & 1) != 0;
          begun |= std::uint64_t{1} << plane;
          outer_sums({.a_row = row,
                      .b_row = p.columns,
                      .c_row = p.block_columns,
                      .a_group = kLanes,
                      .b_group = kLanes * p.columns,
                      .groups = count,
                      .valid = valid,
                      .last = valid,
                      .accumulate = goes_on,
                      .slots = one_slot},
                     StoreSums(), v + k * p.v_plane + (c - channels.begin) * row, u + k * p.u_plane + f,
                     m + plane * p.m_plane, some_channels.size(), some_columns.size());
        }
        if (band == p.bands - 1) transforms.of_sums(s, p, some_channels, some_columns, m, accumulate, dw);
      }
    }
  }
}

void winograd_weight_grad(const ConvShape& s, const WinogradGradPlan& p, const float* x, const float* dz, float* dw,
                          int valid, bool accumulate, float* scratch, Share share) {
  with_filtering(s.kernel_h, s.stride_h, [&](auto f) HWY_ATTR {
    using F = decltype(f);
    weight_grad({x_to_points<F>, dz_to_filter_points<F>, weights_from_sums<F>}, s, p, x, dz, dw, valid, accumulate,
                scratch, share);
  });
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(winograd_weight_grad);
namespace {

class WinogradWeightGrad : public ConvWeightGrad {
 public:
  explicit WinogradWeightGrad(const ConvShape& s) : s_(s), plan_(plan_winograd_grad(s)) {
    scratch = static_cast<std::size_t>(plan_.v_floats + plan_.u_floats + plan_.m_floats + plan_.t_floats);
    shares = worth_sharing(plan_.tiles * plan_.points * s.channels * plan_.columns,
                           std::max(s.channels / 8, plan_.columns / 16));
  }
  void run(const float* x, const float* dz, float* dw, int valid, bool accumulate, float* room,
           Share share) const override {
    CHALK_CHOSEN(winograd_weight_grad)(s_, plan_, x, dz, dw, valid, accumulate, room, share);
  }

 private:
  ConvShape s_;
  WinogradGradPlan plan_;
};

}  // namespace

// As for winograd_forward_pays, time for each pair of channel and filter: `lines` for each channel and each filter to
// transform a tile, and some 20 to transform the sums back.
bool winograd_weight_grad_pays(const ConvShape& s) {
  const WinogradGradPlan p = plan_winograd_grad(s);
  const std::int64_t pairs = s.channels * p.columns, lines = winograd_lines(s);
  const std::int64_t direct = s.kernel_h * s.kernel_w * s.out_h * s.out_w * s.channels * s.filters;
  const std::int64_t winograd = p.tiles * (p.points * 5 / 4 * pairs + lines * (s.channels + p.columns)) + 20 * pairs;
  return winograd_fits(s) && 10 * direct >= 11 * winograd;
}

std::unique_ptr<const ConvWeightGrad> plan_winograd_weight_grad(const ConvShape& s) {
  return std::make_unique<WinogradWeightGrad>(s);
}

}  // namespace chalk
#endif
