// The forward map of one sample by Winograd's transforms. A lane of the transforms into points is a channel, a lane of
// the products and of what follows them is one of four filters at one of four tiles.
#include <algorithm>

#include "src/kernels/conv_one.h"
#include "src/kernels/conv_winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_winograd_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_one_tile-inl.h"
#include "src/kernels/conv_winograd-inl.h"
#include "src/kernels/conv_winograd_tile-inl.h"
#include "src/kernels/fold-inl.h"

#ifndef CHALKGRAD_CONV_WINOGRAD_ONE_ONCE_
#define CHALKGRAD_CONV_WINOGRAD_ONE_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kMostGroups = 6;            // of four tiles that go through the products at once
constexpr std::int64_t kNearWeights = 160 * 1024;  // floats that a core's second cache holds beside other things
/// How a shape is gone about.
struct OneWinogradPlan {
  std::int64_t points, across, rows;  // of tiles
  std::int64_t sixteens;              // of channels
  std::int64_t blocks;                // of four filters
  std::int64_t places;                // of y, in a plane
  bool shares_rows;                   // of tiles; or else blocks, where every thread makes the points of all of x
  std::int64_t y_block;
  std::int64_t table_floats, lanes_floats, v_floats, x_floats, m_floats,
      y_floats;  // scratch, in this order; y and index
  // Of as many tiles as one thread has:
  std::int64_t batches, groups;  // of tiles; of four of them, in a batch
  std::int64_t v_plane, m_plane;

  void divide(std::int64_t tiles) {
    batches = (tiles + 4 * kMostGroups - 1) / (4 * kMostGroups);
    arrange(((tiles + batches - 1) / batches + 3) / 4);
  }
  void arrange(std::int64_t some_groups) {
    groups = some_groups;
    v_plane = sixteens * groups * 4 * 16 + kWinogradGap;
    m_plane = blocks * groups * 16 + kWinogradGap;
  }
};

OneWinogradPlan plan_tiles(const ConvShape& s, const ConvEpilogue& e) {
  OneWinogradPlan p;
  p.points = winograd_points(s);
  p.across = (s.out_w + 3) / 4;
  p.rows = (s.out_h + 3) / 4;
  p.sixteens = (s.channels + 15) / 16;
  p.blocks = (s.filters + 3) / 4;
  p.places = (s.out_h / e.pool_h) * (s.out_w / e.pool_w);
  p.shares_rows =
      p.points * s.channels * s.filters <= kNearWeights && p.rows >= 12;  // so that threads have about as many
  p.divide(p.rows * p.across);
  p.arrange(std::min(kMostGroups, (p.rows * p.across + 3) / 4));  // what any share takes at most
  p.y_block = p.places * 4 + kOneMargin;
  p.table_floats = (2 * s.channels + 15) / 16 * 16;  // offsets are 64-bit
  p.lanes_floats = p.sixteens * s.height * s.width * 16;
  p.v_floats = p.points * p.v_plane;
  p.x_floats = p.sixteens * p.groups * 16 * 16;
  p.m_floats = p.points * p.m_plane;
  p.y_floats = p.blocks * p.y_block;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// to[c / 16][place][c % 16] = x[c][place] of some places; `x` is readable in whole vectors.
void channels_to_lanes(const ConvShape& s, const Interval& some, const float* x, float* to) {
  const LaneTag d;
  const std::int64_t places = s.height * s.width;
  for (std::int64_t c = 0; c < s.channels; c += kLanes, to += places * kLanes) {
    for (int part = 0; part < 16; part += kWidth) {
      for (std::int64_t i = some.begin; i < some.end; i += kWidth) {
        LaneVec v[kWidth];
        for (int k = 0; k < kWidth; ++k) {
          const std::int64_t channel = c + part + k;
          v[k] = channel < s.channels ? hn::LoadU(d, x + channel * places + i) : hn::Zero(d);
        }
        transpose_vectors(v);
        const std::int64_t count = std::min<std::int64_t>(kWidth, some.end - i);
        for (std::int64_t k = 0; k < count; ++k) hn::Store(v[k], d, to + (i + k) * kLanes + part);
      }
    }
  }
}

/// x[group of tiles][c][tile][4] = v[c / 16][tile][c % 16], four times, for one point.
void repeat_points(const ConvShape& s, const OneWinogradPlan& p, const float* v, float* x) {
  const LaneTag d;
  alignas(64) float tiles[4 * kWidth + kLanes] = {};
  for (std::int64_t g = 0; g < p.groups; ++g) {
    for (std::int64_t c = 0; c < s.channels; c += kWidth) {
      const float* const from = v + (c / kLanes * p.groups + g) * 4 * kLanes + c % kLanes;
      hn::StoreInterleaved4(hn::Load(d, from), hn::Load(d, from + kLanes), hn::Load(d, from + 2 * kLanes),
                            hn::Load(d, from + 3 * kLanes), d, tiles);
      repeat_places(tiles, 1, 4 * std::min<std::int64_t>(kWidth, s.channels - c), x + (g * p.sixteens * 16 + c) * 16);
    }
  }
}

/// m[f / 4][group][tile][f % 4] = Σ_c u[f][c] · x[group][c][tile] in order of c, for one point and some blocks of
/// filters. Weights are read in the order in which they lie: there may be more than any cache holds.
void multiply_one(const ConvShape& s, const OneWinogradPlan& p, const Interval& blocks, const float* u,
                  const std::int64_t* taps, const float* x, float* m) {
  for (std::int64_t c = 0; c < s.channels; c += kWinogradSum) {
    const std::int64_t count = std::min(kWinogradSum, s.channels - c);
    for (std::int64_t block = blocks.begin, n = 0; block < blocks.end; block += n) {
      n = one_tile_blocks(blocks.end, block, p.groups);
      run_one_row({.x = x,
                   .taps = taps + c,
                   .tap_count = count,
                   .x_step = p.sixteens * 16 * 16,
                   .w = u + (c * p.blocks + block * count) * kWeightBlock,
                   .z = m + block * p.groups * kLanes,
                   .z_block = p.groups * kLanes,
                   .z_step = kLanes,
                   .accumulate = c > 0},
                  n, p.groups);
    }
  }
}

/// The places of y that four tiles make, [place][4 filters], from m[group][tile][4 filters].
template <class F>
void finish_group(const ConvShape& s, const ConvEpilogue& e, const OneWinogradPlan& p, const float* m,
                  const float* bias, std::int64_t first, std::int64_t count, float* y, float* index) {
  const bool pooled = e.pool_h > 1 || e.pool_w > 1;
  const std::int64_t y_h = s.out_h / e.pool_h, y_w = s.out_w / e.pool_w;
  const std::int64_t tile_h = kTile / e.pool_h, tile_w = kTile / e.pool_w;  // of y
  alignas(64) float z[kTile * kTile * kLanes], made[kTile * kTile * kLanes], made_index[kTile * kTile * kLanes];
  if (pooled) {
    tile_from_points<F>(m, p.m_plane, nullptr, false, z, kTile * kLanes);
    pool_tile(e, z, bias, tile_h, tile_w, made, index ? made_index : nullptr, tile_w * kLanes);
  } else {
    tile_from_points<F>(m, p.m_plane, bias, e.relu, made, kTile * kLanes);
  }
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t top = (first + t) / p.across * tile_h, left = (first + t) % p.across * tile_w;
    const std::int64_t rows = std::min(tile_h, y_h - top), columns = std::min(tile_w, y_w - left);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const std::int64_t from = (i * tile_w + j) * kLanes + t * 4, to = ((top + i) * y_w + left + j) * 4;
        std::copy_n(made + from, 4, y + to);
        if (index) std::copy_n(made_index + from, 4, index + to);
      }
    }
  }
}

/// What differs by the filtering.
struct OneTransforms {
  void (*of_x)(const ConvShape& s, const TileGrid& grid, const float* x, std::int64_t count, float* v,
               std::int64_t v_plane);
  void (*of_sums)(const ConvShape& s, const ConvEpilogue& e, const OneWinogradPlan& p, const float* m,
                  const float* bias, std::int64_t first, std::int64_t count, float* y, float* index);
};

void run_one(const OneTransforms& transforms, const ConvShape& s, const ConvEpilogue& e, const OneWinogradPlan& all,
             const float* x, const float* packed, const float* bias, float* y, float* index, float* scratch,
             Share share) {
  static_assert(4 * kMostGroups <= kMostBatch);
  const Interval blocks = all.shares_rows ? Interval{0, all.blocks} : share.of(all.blocks);
  const Interval rows = all.shares_rows ? share.of(all.rows) : Interval{0, all.rows};
  if (rows.size() == 0 || blocks.size() == 0) return;
  OneWinogradPlan p = all;
  p.divide(rows.size() * p.across);
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const lanes = scratch + p.table_floats;
  float* const v = lanes + p.lanes_floats;
  float* const repeated = v + p.v_floats;
  float* const m = repeated + p.x_floats;
  float* const made = m + p.m_floats;
  float* const made_index = index ? made + p.y_floats : nullptr;
  for (std::int64_t c = 0; c < s.channels; ++c) taps[c] = c * kLanes;
  ConvShape sixteens = s;
  sixteens.channels = p.sixteens;
  const Interval of_x{
      std::clamp<std::int64_t>(rows.begin * kTile * s.stride_h - s.pad_h, 0, s.height),
      std::clamp<std::int64_t>((rows.end * kTile - 1) * s.stride_h + s.kernel_h - s.pad_h, 0, s.height)};
  channels_to_lanes(s, {of_x.begin * s.width, of_x.end * s.width}, x, lanes);
  for (std::int64_t batch = 0; batch < p.batches; ++batch) {
    const std::int64_t first = rows.begin * p.across + batch * p.groups * 4;
    const std::int64_t count = std::min(p.groups * 4, rows.end * p.across - first);
    if (count <= 0) break;
    transforms.of_x(sixteens, {p.across, first, p.groups * 4}, lanes, count, v, p.v_plane);
    for (std::int64_t k = 0; k < p.points; ++k) {
      repeat_points(s, p, v + k * p.v_plane, repeated);
      multiply_one(s, p, blocks, packed + winograd_weight_plane(s, k) * p.blocks * 4 * s.channels, taps, repeated,
                   m + k * p.m_plane);
    }
    for (std::int64_t b = blocks.begin; b < blocks.end; ++b) {
      alignas(64) float biases[kLanes];
      for (std::int64_t i = 0; i < kLanes; ++i) {
        const std::int64_t f = b * kWeightBlock + i % kWeightBlock;
        biases[i] = e.bias && f < s.filters ? bias[f] : kNoBias;
      }
      for (std::int64_t t = 0; t < count; t += 4) {
        transforms.of_sums(s, e, p, m + (b * p.groups + t / 4) * kLanes, biases, first + t,
                           std::min<std::int64_t>(4, count - t), made + b * p.y_block,
                           index ? made_index + b * p.y_block : nullptr);
      }
    }
  }
  const std::int64_t y_row = s.out_w / e.pool_w, tile_h = kTile / e.pool_h;
  const std::int64_t from = rows.begin * tile_h * y_row, to = std::min(rows.end * tile_h * y_row, p.places);
  for (std::int64_t b = blocks.begin; b < blocks.end && from < to; ++b) {
    const std::int64_t filters = std::min<std::int64_t>(kWeightBlock, s.filters - b * kWeightBlock);
    const std::int64_t some = b * p.y_block + from * 4, there = b * kWeightBlock * p.places + from;
    split_filters(made + some, to - from, 0, filters, y + there, p.places);
    if (index) split_filters(made_index + some, to - from, 0, filters, index + there, p.places);
  }
}

void winograd_one(const ConvShape& s, const ConvEpilogue& e, const OneWinogradPlan& p, const float* x,
                  const float* packed, const float* bias, float* y, float* index, float* scratch, Share share) {
  with_filtering(s.kernel_h, s.stride_h, [&](auto f) HWY_ATTR {
    using F = decltype(f);
    run_one({x_to_points<F>, finish_group<F>}, s, e, p, x, packed, bias, y, index, scratch, share);
  });
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(winograd_one);
namespace {

class WinogradOne : public ConvForwardOne {
 public:
  WinogradOne(const ConvShape& s, const ConvEpilogue& e) : s_(s), e_(e), plan_(plan_tiles(s, e)) {
    scratch = static_cast<std::size_t>(plan_.table_floats + plan_.lanes_floats + plan_.v_floats + plan_.x_floats +
                                       plan_.m_floats + 2 * plan_.y_floats);
    shares = worth_sharing(plan_.points * plan_.batches * plan_.groups * plan_.blocks * s.channels,
                           plan_.shares_rows ? plan_.rows : plan_.blocks);
  }
  void run(const float* x, const float* packed, const float* bias, float* y, float* index, float* room,
           Share share) const override {
    CHALK_CHOSEN(winograd_one)(s_, e_, plan_, x, packed, bias, y, index, room, share);
  }

 private:
  ConvShape s_;
  ConvEpilogue e_;
  OneWinogradPlan plan_;
};

}  // namespace

std::unique_ptr<const ConvForwardOne> plan_winograd_one(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<WinogradOne>(s, e);
}

}  // namespace chalk
#endif
