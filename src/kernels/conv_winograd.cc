// Forward and input gradient by Winograd's transforms. The input gradient is the same map of dz with reversed weights;
// or, where z has fewer tiles than x, the transposed map, dx = Σ B[(G w Gᵀ) ⊙ (A dz Aᵀ)]Bᵀ over the tiles of z.
#include "src/kernels/conv_winograd.h"

#include <algorithm>

#include "src/kernels/conv_one.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_winograd.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "src/kernels/conv_winograd-inl.h"
#include "src/kernels/conv_winograd_tile-inl.h"
#include "src/kernels/fold-inl.h"

#ifndef CHALKGRAD_CONV_WINOGRAD_ONCE_
#define CHALKGRAD_CONV_WINOGRAD_ONCE_
namespace chalk {
namespace {

// Tiles that go through the products at once: as many as a register tile holds; but fewer, lest their points push each
// other out of cache, where the weights are so few that they stay there from batch to batch.
constexpr std::int64_t kMostTiles = 6, kFewTiles = 3, kStridedTiles = 4;
constexpr std::int64_t kNearWeights = 1 << 17;
constexpr std::int64_t kFarWeights = 1 << 21;      // more do not stay in any cache until they are read
constexpr std::int64_t kFewPlanes = 32;            // whose tiles are so short that all points are one call
constexpr std::int64_t kSumPlanes = kWinogradSum;  // so that their points of kMostTiles stay in the nearest cache
constexpr std::int64_t kBlock = 4;                 // result planes whose weights are packed side by side
constexpr std::int64_t kSharedPlanes = 32;         // result planes that a thread takes at least

/// How a map goes about a shape: the points of all planes of some tiles of z, their products, and the result's planes.
struct WinogradPlan {
  std::int64_t points;         // of the transform of a patch,
  std::int64_t weight_planes;  // and of the weights
  std::int64_t from, to;       // planes: channels and filters; in the transposed map, filters and channels
  std::int64_t across, tiles;  // tiles of z: in a row, in all
  std::int64_t batches, most;  // tiles are done in batches of nearly equal size
  std::int64_t padded;         // `to`, filled up to blocks
  std::int64_t v_plane, m_plane;
  std::int64_t table_floats, v_floats, m_floats;  // scratch, in this order

  /// Result planes are shared in groups.
  std::int64_t groups() const { return (to + kSharedPlanes - 1) / kSharedPlanes; }
  Interval planes(const Interval& some_groups) const {
    return {some_groups.begin * kSharedPlanes, std::min(some_groups.end * kSharedPlanes, to)};
  }
  /// Multiply-adds of lane groups, those of transforms included.
  std::int64_t products() const { return tiles * points * (from * to + 4 * (from + to)); }
};

WinogradPlan plan_winograd(const ConvShape& s, bool transposed = false) {
  WinogradPlan p;
  p.points = winograd_points(s);
  p.weight_planes = winograd_weight_planes(s);
  p.from = transposed ? s.filters : s.channels;
  p.to = transposed ? s.channels : s.filters;
  p.padded = (p.to + kBlock - 1) / kBlock * kBlock;
  p.across = (s.out_w + 3) / 4;
  p.tiles = (s.out_h + 3) / 4 * p.across;
  const std::int64_t most = s.stride_h == 2                                       ? kStridedTiles
                            : p.weight_planes * p.from * p.padded <= kNearWeights ? kFewTiles
                                                                                  : kMostTiles;
  p.batches = (p.tiles + most - 1) / most;
  p.most = (p.tiles + p.batches - 1) / p.batches;
  p.v_plane = p.from * p.most * 16 + kWinogradGap;
  p.m_plane = p.to * p.most * 16 + kWinogradGap;
  p.table_floats = (2 * std::min(p.from, kSumPlanes) + 15) / 16 * 16;  // offsets are 64-bit
  p.v_floats = p.points * p.v_plane;
  p.m_floats = p.points * p.m_plane;
  return p;
}

/// Weights as a map reads them.
struct WeightOrder {
  bool by_from;   // [from][to] instead of [to][from]
  bool reversed;  // each kernel backwards
};

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// pairs[k][i] = kernels[i][k], or of k from the last to the first.
template <int kWeights>
HWY_INLINE void kernels_side_by_side(const float* const (&kernels)[kLanes], bool reversed, float* pairs) {
  const LaneTag d;
  for (int part = 0; part < kLanes; part += kWidth) {
    for (int first = 0; first < kWeights; first += kWidth) {
      const int count = std::min<int>(kWidth, kWeights - first);
      const auto some = hn::FirstN(d, static_cast<std::size_t>(count));
      LaneVec v[kWidth];
      for (int i = 0; i < kWidth; ++i) {
        const float* const kernel = kernels[part + i];
        v[i] = kernel ? hn::MaskedLoad(some, d, kernel + first) : hn::Zero(d);
      }
      transpose_vectors(v);
      for (int k = 0; k < count; ++k) {
        const int to = reversed ? kWeights - 1 - (first + k) : first + k;
        hn::Store(v[k], d, pairs + to * kLanes + part);
      }
    }
  }
}

// [point][64 of from][to / 4][from][4], with zeros for what fills up a block of 4.
template <class F>
void pack_points(const WinogradPlan& p, const WeightOrder& order, const float* w, float* all_packed, Share share) {
  using Weights = typename F::Weights;
  constexpr std::int64_t kWeights = F::kSize * F::kSize, kPoints = Weights::kTo * Weights::kTo;
  const std::int64_t plane = p.padded * p.from;
  constexpr bool kPast = kWidth == kLanes && F::kSize == 3;  // whole lines are stored past the caches
  const bool far = kPast && kPoints * plane >= kFarWeights && p.from % kBlock == 0;
  alignas(64) float pairs[kWeights * kLanes], points[kPoints * kLanes];
  const std::int64_t blocks = p.padded / kBlock;
  const Interval some = share.of((p.from + kSumPlanes - 1) / kSumPlanes * blocks);
  for (std::int64_t block = some.begin; block < some.end; ++block) {
    const std::int64_t first = block / blocks * kSumPlanes, to = block % blocks * kBlock;
    const std::int64_t planes = std::min(kSumPlanes, p.from - first);
    float* packed = all_packed + first * p.padded + planes * to;
    for (std::int64_t c = 0; c < planes; c += kLanes / kBlock) {
      const std::int64_t count = std::min(kLanes / kBlock, planes - c) * kBlock;
      // more streams than the processor foresees
      for (std::int64_t k = 0; k < kPoints && !far; ++k) __builtin_prefetch(packed + k * plane + 4 * kLanes);
      const float* kernels[kLanes];  // null: zeros
      for (std::int64_t i = 0; i < kLanes; ++i) {
        const std::int64_t a = first + c + i / kBlock, b = to + i % kBlock;
        const bool none = i >= count || b >= p.to;
        kernels[i] = none ? nullptr : w + kWeights * (order.by_from ? a * p.to + b : b * p.from + a);
      }
      kernels_side_by_side<kWeights>(kernels, order.reversed, pairs);
      if (count == kLanes && far) {
        square_to_points<Weights, kPast>(pairs, kLanes, F::kSize * kLanes, packed, plane);
      } else if (count == kLanes) {
        square_to_points<Weights>(pairs, kLanes, F::kSize * kLanes, packed, plane);
      } else {
        square_to_points<Weights>(pairs, kLanes, F::kSize * kLanes, points, kLanes);
        for (std::int64_t k = 0; k < kPoints; ++k) std::copy_n(points + k * kLanes, count, packed + k * plane);
      }
      packed += count;
    }
  }
  if (far) hwy::FlushStream();
}

void pack_weights(const ConvShape& s, const WinogradPlan& p, const WeightOrder& order, const float* w, float* packed,
                  Share share) {
  with_filtering(s.kernel_h, s.stride_h,
                 [&](auto f) HWY_ATTR { pack_points<decltype(f)>(p, order, w, packed, share); });
}

/// m[k][to][t] = Σ u[k][to][from] · v[k][from][t] over from, for some planes `to`, of which the first is that of a
/// block.
void multiply(const ConvShape& s, const WinogradPlan& p, const Interval& planes, const float* packed,
              const std::int64_t* taps, const float* v, std::int64_t count, float* m) {
  std::int64_t together = 1;  // points that meet neighbouring planes of weights, or the same
  for (std::int64_t k = 0; k < p.points; k += together) {
    const std::int64_t plane = winograd_weight_plane(s, k), step = winograd_weight_plane(s, k + 1) - plane;
    if (p.from <= kFewPlanes) {
      for (together = 1; k + together < p.points; ++together) {
        if (winograd_weight_plane(s, k + together) != plane + together * step) break;
      }
    }
    ConvTile t{.x = v + k * p.v_plane,
               .taps = taps,
               .tap_count = 0,
               .x_step = kLanes,
               .w = nullptr,
               .w_block = 0,
               .z = m + k * p.m_plane + planes.begin * p.most * kLanes,
               .z_plane = p.most * kLanes,
               .z_step = kLanes,
               .times = together,
               .x_next = p.v_plane,
               .w_next = step * p.padded * p.from,
               .z_next = p.m_plane};
    for (std::int64_t c = 0; c < p.from; c += kSumPlanes) {
      t.tap_count = std::min(kSumPlanes, p.from - c);
      t.w = packed + (plane * p.from + c) * p.padded + planes.begin * t.tap_count;
      t.w_block = t.tap_count * kWeightBlock;
      t.accumulate = c > 0;
      run_row(t, planes.size(), count, count);
      t.x += t.tap_count * p.most * kLanes;
    }
  }
}

/// For each batch of tiles of which planes are wanted: to_points(grid, count, v), then from_points(planes, first,
/// count, m).
template <class Planes, class ToPoints, class FromPoints>
void run_map(const ConvShape& s, const WinogradPlan& p, const float* packed, float* scratch, const Planes& planes_of,
             const ToPoints& to_points, const FromPoints& from_points) {
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const v = scratch + p.table_floats;
  float* const m = v + p.v_floats;
  for (std::int64_t c = 0; c < std::min(p.from, kSumPlanes); ++c) taps[c] = c * p.most * kLanes;
  for (std::int64_t batch = 0; batch < p.batches; ++batch) {
    const Interval planes = planes_of(batch);
    if (planes.size() == 0) continue;
    const std::int64_t first = p.tiles * batch / p.batches, count = p.tiles * (batch + 1) / p.batches - first;
    to_points(TileGrid{p.across, first, p.most}, count, v);
    multiply(s, p, planes, packed, taps, v, count, m);
    from_points(planes, first, count, m);
  }
}

/// patch = B m Bᵀ
template <class F>
HWY_NOINLINE void patch_from_points(const float* m, std::int64_t m_plane, float* patch) {
  using Patch = typename F::PatchTransposed;
  const LaneTag d;
  for (int part = 0; part < 16; part += kWidth) {
    const auto load = [&](int i, int j) HWY_ATTR { return hn::Load(d, m + (i * Patch::kFrom + j) * m_plane + part); };
    const auto store = [&](int i, int j, LaneVec place)
                           HWY_ATTR { hn::Store(place, d, patch + (i * Patch::kTo + j) * kLanes + part); };
    transform<Patch>(load, store);
  }
}

/// dx += B m Bᵀ of `count` tiles, from m[k][c][t], for some channels; the shape is that of the forward map.
template <class F>
void add_patches(const ConvShape& s, const WinogradPlan& p, const Interval& channels, const float* m,
                 std::int64_t first, std::int64_t count, float* dx) {
  using Patch = typename F::PatchTransposed;
  alignas(64) float patch[Patch::kTo * Patch::kTo * kLanes];
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    float* const plane = dx + c * s.height * s.width * kLanes;
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t row = (first + t) / p.across, column = (first + t) % p.across;
      const Square square{row * kTile * F::kStride - s.pad_h, column * kTile * F::kStride - s.pad_w, Patch::kTo,
                          s.height, s.width};
      patch_from_points<F>(m + (c * p.most + t) * kLanes, p.m_plane, patch);
      square.add(patch, plane);
    }
  }
}

/// y, of `count` tiles, from m[k][f][t], for some filters.
template <class F>
void finish_tiles(const ConvShape& s, const ConvEpilogue& e, const WinogradPlan& p, const Interval& filters,
                  const float* m, const float* bias, std::int64_t first, std::int64_t count, float* y, float* index) {
  const bool pooled = e.pool_h > 1 || e.pool_w > 1;
  const std::int64_t y_h = s.out_h / e.pool_h, y_w = s.out_w / e.pool_w, y_row = y_w * kLanes;
  const std::int64_t tile_h = kTile / e.pool_h, tile_w = kTile / e.pool_w;  // of y
  struct Place {
    std::int64_t at, rows, columns;  // of y
  };
  Place places[kMostTiles];
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t top = (first + t) / p.across * tile_h, left = (first + t) % p.across * tile_w;
    places[t] = {(top * y_w + left) * kLanes, std::min(tile_h, y_h - top), std::min(tile_w, y_w - left)};
  }
  alignas(64) float z[kTile * kTile * kLanes], b[kLanes];
  for (std::int64_t f = filters.begin; f < filters.end; ++f) {
    std::fill_n(b, kLanes, e.bias ? bias[f] : kNoBias);
    for (std::int64_t t = 0; t < count; ++t) {
      const auto& [place, rows, columns] = places[t];
      const std::int64_t at = f * y_h * y_row + place;
      const float* const points = m + (f * p.most + t) * kLanes;
      if (pooled) {
        tile_from_points<F>(points, p.m_plane, nullptr, false, z, kTile * kLanes);
        pool_tile(e, z, b, rows, columns, y + at, index ? index + at : nullptr, y_row);
      } else if (rows == kTile && columns == kTile) {
        fetch_tile(y + at + y_h * y_row, y_row);  // the next filter's
        tile_from_points<F>(points, p.m_plane, b, e.relu, y + at, y_row);
      } else {
        tile_from_points<F>(points, p.m_plane, b, e.relu, z, kTile * kLanes);
        for (std::int64_t i = 0; i < rows; ++i) {
          std::copy_n(z + i * kTile * kLanes, columns * kLanes, y + at + i * y_row);
        }
      }
    }
  }
}

/// Shares are of all groups of all batches, so that few tiles or few filters can be shared as well: two threads may
/// meet in a batch, whose points both make.
template <class F>
void forward(const ConvShape& s, const ConvEpilogue& e, const WinogradPlan& p, const float* x, const float* packed,
             const float* bias, float* y, float* index, float* scratch, Share share) {
  const std::int64_t groups = p.groups();
  const Interval units = share.of(p.batches * groups);
  run_map(
      s, p, packed, scratch, [&](std::int64_t batch) { return p.planes(units.among(batch * groups, groups)); },
      [&](const TileGrid& grid, std::int64_t count, float* v)
          HWY_ATTR { x_to_points<F>(s, grid, x, count, v, p.v_plane); },
      [&](const Interval& filters, std::int64_t first, std::int64_t count, const float* m)
          HWY_ATTR { finish_tiles<F>(s, e, p, filters, m, bias, first, count, y, index); });
}

void winograd_forward(const ConvShape& s, const ConvEpilogue& e, const WinogradPlan& p, const float* x,
                      const float* packed, const float* bias, float* y, float* index, float* scratch, Share share) {
  with_filtering(s.kernel_h, s.stride_h,
                 [&](auto f) HWY_ATTR { forward<decltype(f)>(s, e, p, x, packed, bias, y, index, scratch, share); });
}

/// Patches of neighbouring tiles overlap, so shares are of channels.
template <class F>
void transposed(const ConvShape& s, const WinogradPlan& p, const float* dz, const float* packed, float* dx,
                float* scratch, Share share) {
  const Interval channels = p.planes(share.of(p.groups()));
  const std::int64_t plane = s.height * s.width * kLanes;
  std::fill_n(dx + channels.begin * plane, channels.size() * plane, 0.0f);
  run_map(
      s, p, packed, scratch, [&](std::int64_t) { return channels; },
      [&](const TileGrid& grid, std::int64_t count, float* v)
          HWY_ATTR { dz_to_points<F>(s, grid, dz, count, v, p.v_plane); },
      [&](const Interval& of, std::int64_t first, std::int64_t count, const float* m)
          HWY_ATTR { add_patches<F>(s, p, of, m, first, count, dx); });
}

void winograd_transposed(const ConvShape& s, const WinogradPlan& p, const float* dz, const float* packed, float* dx,
                         float* scratch, Share share) {
  with_filtering(s.kernel_h, s.stride_h,
                 [&](auto f) HWY_ATTR { transposed<decltype(f)>(s, p, dz, packed, dx, scratch, share); });
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(pack_weights);
CHALK_EXPORT(winograd_forward);
CHALK_EXPORT(winograd_transposed);
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
  r.pad_h = s.kernel_h - 1 - s.pad_h;
  r.pad_w = s.kernel_w - 1 - s.pad_w;
  return r;
}

// Time for each pair of channel and filter, in products, as measured on AVX-512 and AVX2: a direct kernel takes as many
// for a place of z as there are weights; these take a quarter more than the points for a tile, since they run below
// peak, and the transforms of a tile `lines` for each channel and each filter, which is so much less for a pair as
// there are more of them. (This fits what was measured within a fifth, for 4 … 256 channels and filters and z of 4 × 4
// … 32 × 32.) They must win by a fifth.
bool winograd_pays(const ConvShape& s, bool transposed) {
  const std::int64_t pairs = s.channels * s.filters, lines = winograd_lines(s);
  const std::int64_t direct = s.kernel_h * s.kernel_w * s.out_h * s.out_w * pairs;
  const WinogradPlan p = plan_winograd(s, transposed);
  const std::int64_t winograd = p.tiles * (p.points * 5 / 4 * pairs + lines * (s.channels + s.filters));
  return winograd_fits(s) && 5 * direct >= 6 * winograd;
}

std::size_t packed_floats(const WinogradPlan& p) {
  return static_cast<std::size_t>(p.weight_planes * p.padded * p.from);
}

std::size_t scratch_floats(const WinogradPlan& p) {
  return static_cast<std::size_t>(p.table_floats + p.v_floats + p.m_floats);
}

bool transposed_has_fewer_tiles(const ConvShape& s) {
  return s.stride_h > 1 || plan_winograd(s).tiles < plan_winograd(reversed(s)).tiles;
}

class WinogradForward : public ConvForwardWithOne {
 public:
  WinogradForward(const ConvShape& s, const ConvEpilogue& e)
      : ConvForwardWithOne(plan_winograd_one(s, e)), s_(s), e_(e), plan_(plan_winograd(s)) {
    packed = packed_floats(plan_);
    scratch = scratch_floats(plan_);
    shares = worth_sharing(plan_.products(), plan_.batches * plan_.groups());
  }
  void pack(const float* w, float* to, Share share) const override {
    CHALK_CHOSEN(pack_weights)(s_, plan_, {.by_from = false, .reversed = false}, w, to, share);
  }
  void run(const float* x, const float* from, const float* bias, float* y, float* index, float* room,
           Share share) const override {
    CHALK_CHOSEN(winograd_forward)(s_, e_, plan_, x, from, bias, y, index, room, share);
  }

 private:
  ConvShape s_;
  ConvEpilogue e_;
  WinogradPlan plan_;
};

class WinogradInputGrad : public ConvInputGrad {
 public:
  explicit WinogradInputGrad(const ConvShape& s)
      : transposed_(transposed_has_fewer_tiles(s)),
        s_(transposed_ ? s : reversed(s)),
        plan_(plan_winograd(s_, transposed_)) {
    packed = packed_floats(plan_);
    scratch = scratch_floats(plan_);
    shares = worth_sharing(plan_.products(), plan_.groups() * (transposed_ ? 1 : plan_.batches));
  }
  void pack(const float* w, float* to, Share share) const override {
    CHALK_CHOSEN(pack_weights)(s_, plan_, {.by_from = true, .reversed = !transposed_}, w, to, share);
  }
  void run(const float* dz, const float* from, float* dx, float* room, Share share) const override {
    if (transposed_) {
      CHALK_CHOSEN(winograd_transposed)(s_, plan_, dz, from, dx, room, share);
    } else {
      CHALK_CHOSEN(winograd_forward)(s_, {}, plan_, dz, from, nullptr, dx, nullptr, room, share);
    }
  }

 private:
  bool transposed_;
  ConvShape s_;  // of the map that is run
  WinogradPlan plan_;
};

}  // namespace

bool winograd_fits(const ConvShape& s) {
  const bool strided = s.stride_h == 2 && s.kernel_h == 3;
  return s.kernel_h == s.kernel_w && (s.kernel_h == 3 || s.kernel_h == 5) && s.stride_h == s.stride_w &&
         (s.stride_h == 1 || strided) && s.dilation_h == 1 && s.dilation_w == 1 && s.groups == 1 &&
         s.pad_h < s.kernel_h && s.pad_w < s.kernel_w;
}

std::int64_t winograd_lines(const ConvShape& s) { return s.stride_h == 2 ? 200 : s.kernel_h == 3 ? 400 : 1000; }

bool winograd_pools(std::int64_t pool_h, std::int64_t pool_w) { return 4 % pool_h == 0 && 4 % pool_w == 0; }

bool winograd_forward_pays(const ConvShape& s) { return winograd_pays(s, false); }

bool winograd_input_grad_pays(const ConvShape& s) {
  if (!winograd_fits(s)) return false;
  return transposed_has_fewer_tiles(s) ? winograd_pays(s, true) : winograd_pays(reversed(s), false);
}

std::unique_ptr<const ConvForward> plan_winograd_forward(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<WinogradForward>(s, e);
}

std::unique_ptr<const ConvInputGrad> plan_winograd_input_grad(const ConvShape& s) {
  return std::make_unique<WinogradInputGrad>(s);
}

}  // namespace chalk
#endif
