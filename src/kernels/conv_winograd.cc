// Forward, and the input gradient, which is the same map of dz with reversed weights, by Winograd's F(4 × 4, 3 × 3).
#include "src/kernels/conv_winograd.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_winograd.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_pool-inl.h"
#include "src/kernels/conv_winograd-inl.h"

#ifndef CHALKGRAD_CONV_WINOGRAD_ONCE_
#define CHALKGRAD_CONV_WINOGRAD_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kPoints = 36;       // of the transform of a patch
constexpr std::int64_t kMostTiles = 6;     // that go through the 36 products at once: as many as a register tile holds
constexpr std::int64_t kSumChannels = 64;  // at a time, so that their points of kMostTiles stay in the nearest cache
constexpr std::int64_t kGap = 16;          // floats between planes of points, lest all fall on one set of a cache
constexpr std::int64_t kFilterBlock = 4;   // filters whose weights are packed side by side

/// How winograd_forward goes about a shape: the points of all channels of some tiles, their products, and z of them.
struct WinogradPlan {
  std::int64_t across, tiles;  // tiles of z: in a row, in all
  std::int64_t batches, most;  // tiles are done in batches of nearly equal size
  std::int64_t filters;        // filled up to blocks
  std::int64_t v_plane, m_plane;
  std::int64_t table_floats, v_floats, m_floats;  // scratch, in this order
};

WinogradPlan plan_winograd(const ConvShape& s) {
  WinogradPlan p;
  p.across = (s.out_w + 3) / 4;
  p.tiles = (s.out_h + 3) / 4 * p.across;
  p.batches = (p.tiles + kMostTiles - 1) / kMostTiles;
  p.most = (p.tiles + p.batches - 1) / p.batches;
  p.filters = (s.filters + kFilterBlock - 1) / kFilterBlock * kFilterBlock;
  p.v_plane = s.channels * p.most * 16 + kGap;
  p.m_plane = s.filters * p.most * 16 + kGap;
  p.table_floats = (2 * std::min(s.channels, kSumChannels) + 15) / 16 * 16;  // offsets are 64-bit
  p.v_floats = kPoints * p.v_plane;
  p.m_floats = kPoints * p.m_plane;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// u[k] = (G w Gᵀ)[k] of sixteen w[9][16].
HWY_NOINLINE void transform_weights(const float* w, float* u, std::int64_t u_plane) {
  const LaneTag d;
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec t[kPatch][3];
    CHALKGRAD_UNROLL
    for (int b = 0; b < 3; ++b) {
      LaneVec column[3], points[kPatch];
      CHALKGRAD_UNROLL
      for (int a = 0; a < 3; ++a) column[a] = hn::Load(d, w + (a * 3 + b) * kLanes + part);
      weights_to_points(column, points);
      CHALKGRAD_UNROLL
      for (int i = 0; i < kPatch; ++i) t[i][b] = points[i];
    }
    CHALKGRAD_UNROLL
    for (int i = 0; i < kPatch; ++i) {
      LaneVec points[kPatch];
      weights_to_points(t[i], points);
      CHALKGRAD_UNROLL
      for (int j = 0; j < kPatch; ++j) hn::StoreU(points[j], d, u + (i * kPatch + j) * u_plane + part);
    }
  }
}

// [point][64 channels][filter / 4][channel][4], with zeros for the filters that fill up a block of 4. The weights of a
// filter and channel are 9 in a row; for the input gradient they are those of [channel][filter], read backwards.
void PackPoints(const ConvShape& s, const float* w, bool backwards, float* packed) {
  const std::int64_t filters = plan_winograd(s).filters, plane = filters * s.channels;
  alignas(64) float pairs[9 * kLanes], points[kPoints * kLanes];
  for (std::int64_t first = 0; first < s.channels; first += kSumChannels) {
    const std::int64_t channels = std::min(kSumChannels, s.channels - first);
    for (std::int64_t f = 0; f < filters; f += kFilterBlock) {
      for (std::int64_t c = 0; c < channels; c += 4, packed += 4 * kFilterBlock) {
        const std::int64_t count = std::min<std::int64_t>(4, channels - c) * kFilterBlock;
        for (std::int64_t i = 0; i < kLanes; ++i) {
          const std::int64_t channel = first + c + i / kFilterBlock, filter = f + i % kFilterBlock;
          const bool none = i >= count || filter >= s.filters;
          const float* g =
              none ? nullptr : w + 9 * (backwards ? channel * s.filters + filter : filter * s.channels + channel);
          for (std::int64_t a = 0; a < 9; ++a) pairs[a * kLanes + i] = none ? 0.0f : g[backwards ? 8 - a : a];
        }
        if (count == kLanes) {
          transform_weights(pairs, packed, plane);
          continue;
        }
        transform_weights(pairs, points, kLanes);
        for (std::int64_t k = 0; k < kPoints; ++k) std::copy_n(points + k * kLanes, count, packed + k * plane);
        packed -= 4 * kFilterBlock - count;
      }
    }
  }
}

/// m[k][f][t] = Σ_c u[k][f][c] · v[k][c][t].
void multiply(const ConvShape& s, const WinogradPlan& p, const float* packed, const std::int64_t* taps, const float* v,
              std::int64_t count, float* m) {
  for (std::int64_t k = 0; k < kPoints; ++k) {
    ConvTile t{.x = v + k * p.v_plane,
               .taps = taps,
               .tap_count = 0,
               .x_step = kLanes,
               .w = packed + k * p.filters * s.channels,
               .w_block = 0,
               .z = m + k * p.m_plane,
               .z_plane = p.most * kLanes,
               .z_step = kLanes};
    for (std::int64_t c = 0; c < s.channels; c += kSumChannels) {
      t.tap_count = std::min(kSumChannels, s.channels - c);
      t.w_block = t.tap_count * kWeightBlock;
      t.accumulate = c > 0;
      run_row(t, s.filters, count, count);
      t.x += t.tap_count * p.most * kLanes;
      t.w += t.tap_count * p.filters;
    }
  }
}

/// z = Aᵀ m A of a tile, + bias, relu; its rows lie z_row floats apart.
HWY_NOINLINE void tile_from_points(const float* m, std::int64_t m_plane, float bias, bool relu, float* z,
                                   std::int64_t z_row) {
  const LaneTag d;
  const auto b = hn::Set(d, bias);
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec t[kTile][kPatch];
    CHALKGRAD_UNROLL
    for (int j = 0; j < kPatch; ++j) {
      LaneVec column[kPatch], places[kTile];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kPatch; ++i) column[i] = hn::Load(d, m + (i * kPatch + j) * m_plane + part);
      from_points(column, places);
      CHALKGRAD_UNROLL
      for (int i = 0; i < kTile; ++i) t[i][j] = places[i];
    }
    CHALKGRAD_UNROLL
    for (int i = 0; i < kTile; ++i) {
      LaneVec places[kTile];
      from_points(t[i], places);
      CHALKGRAD_UNROLL
      for (int j = 0; j < kTile; ++j) {
        auto value = hn::Add(places[j], b);
        if (relu) value = relu_vec(value);
        hn::Store(value, d, z + i * z_row + j * kLanes + part);
      }
    }
  }
}

/// Pools the windows of a tile that lie in y: rows × columns of them.
HWY_NOINLINE void pool_tile(const ConvEpilogue& e, const float* z, float bias, std::int64_t rows, std::int64_t columns,
                            float* y, float* index, std::int64_t y_row) {
  const LaneTag d;
  const auto b = hn::Set(d, bias);
  const bool two = e.pool_h == 2 && e.pool_w == 2;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      for (int part = 0; part < 16; part += kWidth) {
        const float* window = z + (i * e.pool_h * kTile + j * e.pool_w) * kLanes + part;
        LaneVec best, place;
        if (two) {
          pool_window<2, 2>(window, kTile * kLanes, 2, 2, b, e.relu, best, place);
        } else {
          pool_window<0, 0>(window, kTile * kLanes, e.pool_h, e.pool_w, b, e.relu, best, place);
        }
        hn::Store(best, d, y + i * y_row + j * kLanes + part);
        if (index) hn::Store(place, d, index + i * y_row + j * kLanes + part);
      }
    }
  }
}

/// y, of `count` tiles, from m[k][f][t].
void finish_tiles(const ConvShape& s, const ConvEpilogue& e, const WinogradPlan& p, const float* m, const float* bias,
                  std::int64_t first, std::int64_t count, float* y, float* index) {
  const bool pooled = e.pool_h > 1 || e.pool_w > 1;
  const std::int64_t y_h = s.out_h / e.pool_h, y_w = s.out_w / e.pool_w, y_row = y_w * kLanes;
  const std::int64_t tile_h = kTile / e.pool_h, tile_w = kTile / e.pool_w;  // of y
  alignas(64) float z[kTile * kTile * kLanes];
  for (std::int64_t f = 0; f < s.filters; ++f) {
    const float b = e.bias ? bias[f] : kNoBias;
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t tile = first + t, top = tile / p.across * tile_h, left = tile % p.across * tile_w;
      const std::int64_t rows = std::min(tile_h, y_h - top), columns = std::min(tile_w, y_w - left);
      const std::int64_t at = ((f * y_h + top) * y_w + left) * kLanes;
      const float* const points = m + (f * p.most + t) * kLanes;
      if (pooled) {
        tile_from_points(points, p.m_plane, kNoBias, false, z, kTile * kLanes);
        pool_tile(e, z, b, rows, columns, y + at, index ? index + at : nullptr, y_row);
      } else if (rows == kTile && columns == kTile) {
        tile_from_points(points, p.m_plane, b, e.relu, y + at, y_row);
      } else {
        tile_from_points(points, p.m_plane, b, e.relu, z, kTile * kLanes);
        for (std::int64_t i = 0; i < rows; ++i) {
          std::copy_n(z + i * kTile * kLanes, columns * kLanes, y + at + i * y_row);
        }
      }
    }
  }
}

void WinogradForward(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed, const float* bias,
                     float* y, float* index, float* scratch) {
  const WinogradPlan p = plan_winograd(s);
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const v = scratch + p.table_floats;
  float* const m = v + p.v_floats;
  for (std::int64_t c = 0; c < std::min(s.channels, kSumChannels); ++c) taps[c] = c * p.most * kLanes;
  for (std::int64_t batch = 0; batch < p.batches; ++batch) {
    const std::int64_t first = p.tiles * batch / p.batches, count = p.tiles * (batch + 1) / p.batches - first;
    transform_x(s, {p.across, first, p.most}, x, count, v, p.v_plane);
    multiply(s, p, packed, taps, v, count, m);
    finish_tiles(s, e, p, m, bias, first, count, y, index);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
HWY_EXPORT(PackPoints);
HWY_EXPORT(WinogradForward);
namespace {

/// The map from dz to dx.
ConvShape reversed(const ConvShape& s) {
  ConvShape r = s;
  r.channels = s.filters;
  r.height = s.out_h;
  r.width = s.out_w;
  r.filters = s.channels;
  r.out_h = s.height;
  r.out_w = s.width;
  r.pad_h = 2 - s.pad_h;
  r.pad_w = 2 - s.pad_w;
  return r;
}

}  // namespace

bool winograd_fits(const ConvShape& s) {
  return s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
         s.dilation_w == 1 && s.groups == 1 && s.pad_h <= 2 && s.pad_w <= 2;
}

bool winograd_pools(std::int64_t pool_h, std::int64_t pool_w) { return 4 % pool_h == 0 && 4 % pool_w == 0; }

// Time for each pair of channel and filter, in products, as measured on AVX-512 and AVX2: a direct kernel takes 9 for
// a place of z; these take 45 for a tile, since the 36 run below peak, and the transforms of a tile some 400 for each
// channel and each filter, which is so much less for a pair as there are more of them. (This fits what was measured
// within a fifth, for 4 … 256 channels and filters and z of 4 × 4 … 32 × 32.) They must win by a fifth.
bool winograd_forward_pays(const ConvShape& s) {
  const std::int64_t pairs = s.channels * s.filters;
  const std::int64_t direct = 9 * s.out_h * s.out_w * pairs;
  const std::int64_t winograd = plan_winograd(s).tiles * (45 * pairs + 400 * (s.channels + s.filters));
  return winograd_fits(s) && 5 * direct >= 6 * winograd;
}

std::size_t winograd_forward_packed(const ConvShape& s) {
  return static_cast<std::size_t>(kPoints * plan_winograd(s).filters * s.channels);
}

void winograd_forward_pack(const ConvShape& s, const float* w, float* packed) {
  HWY_DYNAMIC_DISPATCH(PackPoints)(s, w, false, packed);
}

std::size_t winograd_forward_scratch(const ConvShape& s) {
  const WinogradPlan p = plan_winograd(s);
  return static_cast<std::size_t>(p.table_floats + p.v_floats + p.m_floats);
}

void winograd_forward(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed, const float* bias,
                      float* y, float* index, float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradForward)(s, e, x, packed, bias, y, index, scratch);
}

bool winograd_input_grad_pays(const ConvShape& s) { return winograd_fits(s) && winograd_forward_pays(reversed(s)); }

std::size_t winograd_input_grad_packed(const ConvShape& s) { return winograd_forward_packed(reversed(s)); }

void winograd_input_grad_pack(const ConvShape& s, const float* w, float* packed) {
  HWY_DYNAMIC_DISPATCH(PackPoints)(reversed(s), w, true, packed);
}

std::size_t winograd_input_grad_scratch(const ConvShape& s) { return winograd_forward_scratch(reversed(s)); }

void winograd_input_grad(const ConvShape& s, const float* dz, const float* packed, float* dx, float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradForward)(reversed(s), {}, dz, packed, nullptr, dx, nullptr, scratch);
}

}  // namespace chalk
#endif
