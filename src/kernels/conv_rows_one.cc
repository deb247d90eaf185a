// z = w ∗ x of one sample with wide rows, with bias and relu: a lane is a column, and the tiles are those of sixteen
// samples (conv_tile-inl.h).
#include <algorithm>

#include "src/kernels/conv_one.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_rows_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_phases-inl.h"
#include "src/kernels/conv_tile-inl.h"

#ifndef CHALKGRAD_CONV_ROWS_ONE_ONCE_
#define CHALKGRAD_CONV_ROWS_ONE_ONCE_
namespace chalk {
namespace {

std::int64_t lane_groups(std::int64_t columns) { return (columns + 15) / 16; }

/// How a shape is gone about. Sixteen neighbours of a row of y fill a lane group.
struct RowsPlan {
  std::int64_t taps, groups, x_rows;  // of a filter; of lanes in a row of y; of the padded x
  std::int64_t band;                  // rows of y that are made at once: where a row is one lane group, several
  ConvPhases x;
  bool shares_filters;                               // or else rows
  std::int64_t table_floats, x_floats, made_floats;  // scratch, in this order, then the line; made
};

RowsPlan plan_rows(const ConvShape& s) {
  constexpr std::int64_t kRows = 6;  // as many as a register tile has
  RowsPlan p;
  p.taps = s.channels / s.groups * s.kernel_h * s.kernel_w;
  p.groups = lane_groups(s.out_w);
  p.x_rows = (s.out_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  p.band = p.groups == 1 ? kRows : 1;
  p.x = {.phases = s.stride_w, .width = 16 * (p.groups + lane_groups((s.kernel_w - 1) * s.dilation_w / s.stride_w))};
  p.shares_filters = s.filters * p.taps > s.channels * s.height * s.width;  // each thread reads all of the other
  p.table_floats = (p.taps * 2 + 15) / 16 * 16;                             // offsets are 64-bit
  p.x_floats = s.channels * p.x_rows * p.x.row();
  p.made_floats = s.filters / s.groups * p.band * p.groups * 16;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

void rows_one(const ConvShape& s, const ConvEpilogue& e, const RowsPlan& p, const float* x, const float* packed,
              const float* bias, float* y, float* scratch, Share share) {
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const spread = scratch + p.table_floats;
  float* const made = spread + p.x_floats;
  const std::int64_t group_filters = s.filters / s.groups, blocks = (group_filters + kWeightBlock - 1) / kWeightBlock;
  const Interval all_rows{0, s.out_h}, all_blocks{0, s.groups * blocks};
  const Interval rows = p.shares_filters ? all_rows : share.of(s.out_h, p.band);
  const Interval some_blocks = p.shares_filters ? share.of(s.groups * blocks) : all_blocks;
  if (rows.size() == 0 || some_blocks.size() == 0) return;
  const std::int64_t x_rows = (rows.size() - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  spread_rows(s, p.x, x, rows.begin * s.stride_h, x_rows, made + p.made_floats, spread);
  locate_phases(s, p.x, x_rows, 0, taps);

  const std::int64_t row_floats = p.groups * kLanes, w_block = p.taps * kWeightBlock;
  const std::int64_t chunk = row_chunk(p.groups, p.taps / s.kernel_w * std::min(s.stride_w, s.kernel_w));
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const Interval of_group = some_blocks.among(group * blocks, blocks);
    const std::int64_t first = of_group.begin * kWeightBlock;
    const std::int64_t filters = std::min(of_group.end * kWeightBlock, group_filters) - first;
    const float* const channels = spread + group * (s.channels / s.groups) * x_rows * p.x.row();
    for (std::int64_t r = 0; r < rows.size() && filters > 0; r += p.band) {
      const std::int64_t band = std::min(p.band, rows.size() - r);
      const bool side_by_side = p.groups == 1;  // the rows of a band; or else the lane groups of one row
      run_row({.x = channels + r * s.stride_h * p.x.row(),
               .taps = taps,
               .tap_count = p.taps,
               .x_step = side_by_side ? s.stride_h * p.x.row() : kLanes,
               .w = packed + (group * blocks + of_group.begin) * w_block,
               .w_block = w_block,
               .z = made,
               .z_plane = band * row_floats,
               .z_step = kLanes,
               .bias = e.bias ? bias + group * group_filters + first : nullptr,
               .relu = e.relu},
              filters, side_by_side ? band : p.groups, side_by_side ? band : chunk);
      for (std::int64_t f = 0; f < filters; ++f) {
        float* const plane = y + (group * group_filters + first + f) * s.out_h * s.out_w;
        for (std::int64_t i = 0; i < band; ++i)
          std::copy_n(made + (f * band + i) * row_floats, s.out_w, plane + (rows.begin + r + i) * s.out_w);
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(rows_one);
namespace {

class RowsOne : public ConvForwardOne {
 public:
  RowsOne(const ConvShape& s, const ConvEpilogue& e) : s_(s), e_(e), plan_(plan_rows(s)) {
    scratch =
        static_cast<std::size_t>(plan_.table_floats + plan_.x_floats + plan_.made_floats + plan_.x.line_floats(s));
    const std::int64_t blocks = s.groups * ((s.filters / s.groups + 3) / 4);
    shares = worth_sharing(s.filters * plan_.taps * plan_.groups * s.out_h,
                           plan_.shares_filters ? blocks : s.out_h / plan_.band);
  }
  void run(const float* x, const float* packed, const float* bias, float* y, float*, float* room,
           Share share) const override {
    CHALK_CHOSEN(rows_one)(s_, e_, plan_, x, packed, bias, y, room, share);
  }

 private:
  ConvShape s_;
  ConvEpilogue e_;
  RowsPlan plan_;
};

}  // namespace

bool rows_one_fits(const ConvShape& s, const ConvEpilogue& e) {
  // plan_direct_one() divides rows into fours and so wastes less, but what it does beside the sums takes as long as
  // some five taps more.
  const std::int64_t taps = s.channels / s.groups * s.kernel_h * s.kernel_w;
  const std::int64_t here = 16 * lane_groups(s.out_w) * taps, there = (s.out_w + 3) / 4 * 4 * (taps + 5);
  return e.pool_h == 1 && e.pool_w == 1 && s.out_w > 0 && s.out_h > 0 && here < there;
}

std::unique_ptr<const ConvForwardOne> plan_rows_one(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<RowsOne>(s, e);
}

}  // namespace chalk
#endif
