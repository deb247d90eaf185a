// dw = Gᵀ[Σ (A dz Aᵀ) ⊙ (Bᵀ x B)]G, summed over tiles of z and over samples: the transpose of Winograd's forward map.
#include <algorithm>

#include "src/kernels/conv_winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_winograd_weight_grad.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_grad_tile-inl.h"
#include "src/kernels/conv_winograd-inl.h"

#ifndef CHALKGRAD_CONV_WINOGRAD_WEIGHT_GRAD_ONCE_
#define CHALKGRAD_CONV_WINOGRAD_WEIGHT_GRAD_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kPoints = 36;
constexpr std::int64_t kGap = 16;           // floats between planes of points, lest all fall on one set of a cache
constexpr std::int64_t kBandTiles = 32;     // at most
constexpr std::int64_t kSumChannels = 16;   // at a time: their points stay in the nearest cache for all filters
constexpr std::int64_t kGradSums = 4 * 48;  // see GradTile

/// How winograd_weight_grad goes about a shape. The bands are part of the arithmetic: tiles of z are transformed,
/// summed and folded band by band, so that the points of a band's x and dz stay in cache.
struct WinogradGradPlan {
  std::int64_t across, tiles;  // tiles of z: in a row, in all
  std::int64_t bands, most;    // most tiles in a band
  std::int64_t v_plane, u_plane, m_plane;
  std::int64_t table_floats, sum_floats, v_floats, u_floats, m_floats;  // scratch, in this order
};

WinogradGradPlan plan_winograd_grad(const ConvShape& s) {
  WinogradGradPlan p;
  p.across = (s.out_w + 3) / 4;
  p.tiles = (s.out_h + 3) / 4 * p.across;
  p.bands = (p.tiles + kBandTiles - 1) / kBandTiles;
  p.most = (p.tiles + p.bands - 1) / p.bands;
  p.v_plane = s.channels * p.most * 16 + kGap;
  p.u_plane = s.filters * p.most * 16 + kGap;
  p.m_plane = s.filters * s.channels;
  p.table_floats = 2 * kSumChannels;  // offsets are 64-bit
  p.sum_floats = kGradSums * 16;
  p.v_floats = kPoints * p.v_plane;
  p.u_floats = kPoints * p.u_plane;
  p.m_floats = kPoints * p.m_plane + 16;  // whole vectors are read
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// u[k] = (A dz Aᵀ)[k] of a tile whose rows lie dz_row floats apart.
HWY_NOINLINE void transform_tile(const float* dz, std::int64_t dz_row, float* u, std::int64_t u_plane) {
  const LaneTag d;
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec t[kPatch][kTile];
    CHALKGRAD_UNROLL
    for (int j = 0; j < kTile; ++j) {
      LaneVec column[kTile], points[kPatch];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kTile; ++i) column[i] = hn::Load(d, dz + i * dz_row + j * kLanes + part);
      places_to_points(column, points);
      CHALKGRAD_UNROLL
      for (int i = 0; i < kPatch; ++i) t[i][j] = points[i];
    }
    CHALKGRAD_UNROLL
    for (int i = 0; i < kPatch; ++i) {
      LaneVec points[kPatch];
      places_to_points(t[i], points);
      CHALKGRAD_UNROLL
      for (int j = 0; j < kPatch; ++j) hn::Store(points[j], d, u + (i * kPatch + j) * u_plane + part);
    }
  }
}

/// u[k][f][t] = (A dz Aᵀ)[k] of `count` tiles.
void transform_dz(const ConvShape& s, const TileGrid& grid, const float* dz, std::int64_t count, float* u,
                  std::int64_t u_plane) {
  alignas(64) float copy[kTile * kTile * kLanes];
  for (std::int64_t f = 0; f < s.filters; ++f, dz += s.out_h * s.out_w * kLanes) {
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t row = (grid.first + t) / grid.across, column = (grid.first + t) % grid.across;
      const Square tile{row * kTile, column * kTile, kTile, s.out_h, s.out_w};
      float* const to = u + (f * grid.most + t) * kLanes;
      if (tile.inside()) {
        transform_tile(dz + (tile.top * s.out_w + tile.left) * kLanes, s.out_w * kLanes, to, u_plane);
      } else {
        tile.copy(dz, copy);
        transform_tile(copy, kTile * kLanes, to, u_plane);
      }
    }
  }
}

/// m[k][f][c] (+)= the folds of Σ_t u[k][f][t] · v[k][c][t].
void sum_tiles(const ConvShape& s, const WinogradGradPlan& p, const std::int64_t* taps, const float* u, const float* v,
               std::int64_t count, const ValidLanes& valid, bool accumulate, float* sums, float* m) {
  for (std::int64_t k = 0; k < kPoints; ++k, u += p.u_plane, v += p.v_plane, m += p.m_plane) {
    for (std::int64_t c = 0; c < s.channels; c += kSumChannels) {
      const std::int64_t channels = std::min(kSumChannels, s.channels - c);
      for (std::int64_t f = 0; f < s.filters; f += kGradFilters) {
        const std::int64_t filters = std::min(kGradFilters, s.filters - f);
        sum_taps({.x = v + c * p.most * kLanes,
                  .taps = taps,
                  .x_step = kLanes,
                  .x_row = 0,
                  .dz = u + f * p.most * kLanes,
                  .dz_plane = p.most * kLanes,
                  .rows = 1,
                  .columns = count,
                  .sums = sums},
                 filters, channels);
        for (std::int64_t i = 0; i < filters; ++i) {
          fold_taps(sums + i * kGradTaps * kLanes, valid, channels, accumulate, m + (f + i) * s.channels + c);
        }
      }
    }
  }
}

/// dw[f][c] (+)= Gᵀ m[·][f][c] G, some channels at a time.
void weights_from_sums(const ConvShape& s, const WinogradGradPlan& p, const float* m, bool accumulate, float* dw) {
  const LaneTag d;
  alignas(64) float w[9][kWidth];
  for (std::int64_t f = 0; f < s.filters; ++f) {
    for (std::int64_t c = 0; c < s.channels; c += kWidth) {
      const float* const from = m + f * s.channels + c;
      LaneVec t[3][kPatch];
      CHALKGRAD_UNROLL
      for (int j = 0; j < kPatch; ++j) {
        LaneVec column[kPatch], weights[3];
        CHALKGRAD_UNROLL
        for (int i = 0; i < kPatch; ++i) column[i] = hn::LoadU(d, from + (i * kPatch + j) * p.m_plane);
        weights_from_points(column, weights);
        CHALKGRAD_UNROLL
        for (int a = 0; a < 3; ++a) t[a][j] = weights[a];
      }
      CHALKGRAD_UNROLL
      for (int a = 0; a < 3; ++a) {
        LaneVec weights[3];
        weights_from_points(t[a], weights);
        CHALKGRAD_UNROLL
        for (int b = 0; b < 3; ++b) hn::Store(weights[b], d, w[a * 3 + b]);
      }
      for (std::int64_t i = 0; i < std::min<std::int64_t>(kWidth, s.channels - c); ++i) {
        for (int k = 0; k < 9; ++k, ++dw) *dw = accumulate ? *dw + w[k][i] : w[k][i];
      }
    }
  }
}

void WinogradWeightGrad(const ConvShape& s, const float* x, const float* dz, float* dw, int valid, bool accumulate,
                        float* scratch) {
  const WinogradGradPlan p = plan_winograd_grad(s);
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const sums = scratch + p.table_floats;
  float* const v = sums + p.sum_floats;
  float* const u = v + p.v_floats;
  float* const m = u + p.u_floats;
  for (std::int64_t c = 0; c < kSumChannels; ++c) taps[c] = c * p.most * kLanes;
  const ValidLanes mask = first_lanes(valid);
  for (std::int64_t band = 0; band < p.bands; ++band) {
    const std::int64_t first = p.tiles * band / p.bands, count = p.tiles * (band + 1) / p.bands - first;
    const TileGrid grid{p.across, first, p.most};
    transform_x(s, grid, x, count, v, p.v_plane);
    transform_dz(s, grid, dz, count, u, p.u_plane);
    sum_tiles(s, p, taps, u, v, count, mask, band > 0, sums, m);
  }
  weights_from_sums(s, p, m, accumulate, dw);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
HWY_EXPORT(WinogradWeightGrad);

// As for winograd_forward_pays, time for each pair of channel and filter: 9 for a place of z directly; here 45 for a
// tile, some 600 for each channel and each filter to transform it, and 140 for a band, to fold the lanes of 36 sums.
bool winograd_weight_grad_pays(const ConvShape& s) {
  const WinogradGradPlan p = plan_winograd_grad(s);
  const std::int64_t pairs = s.channels * s.filters;
  const std::int64_t direct = 9 * s.out_h * s.out_w * pairs;
  const std::int64_t winograd = p.tiles * (45 * pairs + 600 * (s.channels + s.filters)) + 140 * p.bands * pairs;
  return winograd_fits(s) && 10 * direct >= 11 * winograd;
}

std::size_t winograd_weight_grad_scratch(const ConvShape& s) {
  const WinogradGradPlan p = plan_winograd_grad(s);
  return static_cast<std::size_t>(p.table_floats + p.sum_floats + p.v_floats + p.u_floats + p.m_floats);
}

void winograd_weight_grad(const ConvShape& s, const float* x, const float* dz, float* dw, int valid, bool accumulate,
                          float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradWeightGrad)(s, x, dz, dw, valid, accumulate, scratch);
}

}  // namespace chalk
#endif
