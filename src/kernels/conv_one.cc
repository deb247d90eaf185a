// z = w ∗ x of one sample, with bias, relu and pooling.
#include "src/kernels/conv_one.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_one_tile-inl.h"
#include "src/kernels/conv_phases-inl.h"
#include "src/kernels/conv_pool-inl.h"

#ifndef CHALKGRAD_CONV_ONE_ONCE_
#define CHALKGRAD_CONV_ONE_ONCE_
namespace chalk {
namespace {

std::int64_t whole_groups(std::int64_t places) { return (places + 3) / 4; }

/// How a shape is gone about. Column j of all windows is made at once: of z's columns j, j + pool_w, …,
/// four neighbours fill a vector, and the columns of the padded x that they read are made neighbours too.
struct OnePlan {
  std::int64_t rows, columns;  // of y
  std::int64_t groups;         // of four columns
  std::int64_t taps;           // a filter's weights
  ConvPhases x;
  std::int64_t x_rows;                                                   // of the padded x
  std::int64_t band;                                                     // rows of y that are made at once
  std::int64_t z_row, z_block;                                           // floats
  std::int64_t table_floats, x_floats, line_floats, z_floats, y_floats;  // scratch, in this order; y and index
};

OnePlan plan_places(const ConvShape& s, const ConvEpilogue& e) {
  constexpr std::int64_t kBlocks = 12;  // most in a tile, on any instruction set
  OnePlan p;
  p.rows = s.out_h / e.pool_h;
  p.columns = s.out_w / e.pool_w;
  p.groups = whole_groups(p.columns);
  p.taps = s.channels / s.groups * s.kernel_h * s.kernel_w;
  const std::int64_t phases = s.stride_w * e.pool_w;
  p.x = {.phases = phases,
         .width = 4 * p.groups + ((e.pool_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w) / phases,
         .copies = 4};
  p.x_rows = (p.rows * e.pool_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  p.band = p.groups == 1 ? p.rows : 1;
  p.z_row = p.groups * e.pool_w * 16;
  p.z_block = p.band * e.pool_h * p.z_row;
  p.table_floats = (e.pool_w * p.taps * 2 + 15) / 16 * 16;  // offsets are 64-bit
  p.x_floats = s.channels * p.x_rows * p.x.row() + kOneMargin;
  p.line_floats = p.x.line_floats(s);
  p.z_floats = kBlocks * p.z_block;
  p.y_floats = p.band * p.columns * 4 + kOneMargin;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// Bias, relu and pooling of a band of y, for four filters. What is written beyond the end of a row is written
/// over by the next.
template <int kPoolH, int kPoolW>
HWY_NOINLINE void pool_places(const ConvEpilogue& e, const OnePlan& p, const float* z, const float* bias,
                              std::int64_t filters, float* y, float* index) {
  const LaneTag d;
  alignas(16) float biases[kWeightBlock];
  for (std::int64_t f = 0; f < kWeightBlock; ++f) biases[f] = bias && f < filters ? bias[f] : kNoBias;
  for (std::int64_t r = 0; r < p.band; ++r) {
    for (std::int64_t g = 0; g < p.groups; ++g) {
      const float* const window = z + r * e.pool_h * p.z_row + g * e.pool_w * kLanes;
      const std::int64_t to = (r * p.columns + g * 4) * 4;
      for (int part = 0; part < 16; part += kWidth) {
        LaneVec best, place;
        pool_window<kPoolH, kPoolW>(window + part, p.z_row, e.pool_h, e.pool_w, load_filters(biases, part), e.relu.on,
                                    best, place);
        hn::StoreU(limited(e.relu, best), d, y + to + part);
        if (index) hn::StoreU(place, d, index + to + part);
      }
    }
  }
}

/// Shares are of blocks of filters.
void direct_one(const ConvShape& s, const ConvEpilogue& e, const OnePlan& p, const float* x, const float* packed,
                const float* bias, float* y, float* index, float* scratch, Share share) {
  if (p.columns == 0 || p.rows == 0) return;  // windows larger than z: y is empty
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const spread = scratch + p.table_floats;
  float* const line = spread + p.x_floats;
  float* const z = line + p.line_floats;
  float* const made = z + p.z_floats;
  float* const made_index = index ? made + p.y_floats : nullptr;
  spread_rows(s, p.x, x, 0, p.x_rows, line, spread);
  for (std::int64_t j = 0; j < e.pool_w; ++j) locate_phases(s, p.x, p.x_rows, j, taps + j * p.taps);

  const std::int64_t group_filters = s.filters / s.groups, blocks = whole_groups(group_filters);
  const std::int64_t y_plane = p.rows * p.columns;
  const auto pool = e.pool_h == 2 && e.pool_w == 2   ? pool_places<2, 2>
                    : e.pool_h == 1 && e.pool_w == 1 ? pool_places<1, 1>
                                                     : pool_places<0, 0>;
  const std::int64_t across = p.groups == 1 ? p.rows * e.pool_h : p.groups;  // groups of places in a tile's row
  const Interval all_blocks = share.of(s.groups * blocks);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const Interval of_group = all_blocks.among(group * blocks, blocks);
    for (std::int64_t block = of_group.begin, n = 0; block < of_group.end; block += n) {
      n = one_tile_blocks(of_group.end, block, across);
      OneTile t{.x = nullptr,
                .taps = taps,
                .tap_count = p.taps,
                .x_step = kLanes,
                .w = packed + (group * blocks + block) * p.taps * kWeightBlock,
                .z = z,
                .z_block = p.z_block,
                .z_step = e.pool_w * kLanes};
      const std::int64_t filter = group * group_filters + block * kWeightBlock;
      const auto filters_in = [&](std::int64_t b) {
        return std::min<std::int64_t>(kWeightBlock, group_filters - (block + b) * kWeightBlock);
      };
      for (std::int64_t band = 0; band < p.rows; band += p.band) {
        const float* const top =
            spread + (group * (s.channels / s.groups) * p.x_rows + band * e.pool_h * s.stride_h) * p.x.row();
        for (std::int64_t j = 0; j < e.pool_w; ++j) {
          t.taps = taps + j * p.taps;
          if (p.groups == 1) {
            t.x = top;
            t.x_step = s.stride_h * p.x.row();
            t.z = z + j * kLanes;
            t.z_step = p.z_row;
            run_one_row(t, n, across);
            continue;
          }
          for (std::int64_t r = 0; r < e.pool_h; ++r) {
            t.x = top + r * s.stride_h * p.x.row();
            t.z = z + r * p.z_row + j * kLanes;
            run_one_row(t, n, across);
          }
        }
        const std::int64_t places = p.band * p.columns, more = y_plane - (band + p.band) * p.columns;
        for (std::int64_t b = 0; b < n; ++b) {
          const std::int64_t f = filter + b * kWeightBlock, filters = filters_in(b);
          const std::int64_t to = f * y_plane + band * p.columns;
          pool(e, p, z + b * p.z_block, e.bias ? bias + f : nullptr, filters, made, made_index);
          split_filters(made, places, more, filters, y + to, y_plane);
          if (index) split_filters(made_index, places, more, filters, index + to, y_plane);
        }
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(direct_one);
namespace {

class DirectOne : public ConvForwardOne {
 public:
  DirectOne(const ConvShape& s, const ConvEpilogue& e) : s_(s), e_(e), plan_(plan_places(s, e)) {
    scratch = static_cast<std::size_t>(plan_.table_floats + plan_.x_floats + plan_.line_floats + plan_.z_floats +
                                       2 * plan_.y_floats);
    const std::int64_t blocks = s.groups * whole_groups(s.filters / s.groups);
    shares = worth_sharing(blocks * plan_.taps * whole_groups(s.out_h * s.out_w), blocks);
  }
  void run(const float* x, const float* packed, const float* bias, float* y, float* index, float* room,
           Share share) const override {
    CHALK_CHOSEN(direct_one)(s_, e_, plan_, x, packed, bias, y, index, room, share);
  }

 private:
  ConvShape s_;
  ConvEpilogue e_;
  OnePlan plan_;
};

}  // namespace

std::unique_ptr<const ConvForwardOne> plan_direct_one(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<DirectOne>(s, e);
}

}  // namespace chalk
#endif
