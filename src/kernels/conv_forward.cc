// z = w ∗ x, with bias, relu and pooling applied while z is still in cache.
#include <algorithm>
#include <cstring>

#include "src/kernels/conv_direct.h"
#include "src/kernels/conv_one.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_forward.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "src/kernels/conv_pool-inl.h"
#include "src/kernels/conv_tile-inl.h"

#ifndef CHALKGRAD_CONV_FORWARD_ONCE_
#define CHALKGRAD_CONV_FORWARD_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kElement = 16;  // floats: one place of sixteen samples

std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// How a shape is gone about. Rows of z are made in bands of pool_h, so that a band can be pooled at once;
/// x's rows are read in place or, if there is padding, through a window of zero-padded copies that slides down x: row r
/// of the padded x is held in slot r mod window_rows, [channel][padded column].
struct ForwardPlan {
  std::int64_t band_rows, bands, columns;              // of z; what pooling leaves over is not computed
  std::int64_t taps;                                   // a filter's weights
  std::int64_t window_rows, window_width;              // window_rows = 0: read x in place
  std::int64_t table_floats, z_floats, window_floats;  // scratch, in this order
};

ForwardPlan plan_forward(const ConvShape& s, const ConvEpilogue& e) {
  ForwardPlan p;
  p.band_rows = e.pool_h;
  p.bands = s.out_h / e.pool_h;
  p.columns = s.out_w / e.pool_w * e.pool_w;
  p.taps = s.channels / s.groups * s.kernel_h * s.kernel_w;
  const bool padded = s.pad_h > 0 || s.pad_w > 0;
  p.window_rows = padded ? (p.band_rows - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1 : 0;
  p.window_width = s.width + 2 * s.pad_w;
  p.table_floats = round_up(p.band_rows * p.taps * 2, kElement);  // offsets are 64-bit
  const bool pooled = e.pool_h > 1 || e.pool_w > 1;
  p.z_floats = pooled ? p.band_rows * 12 * p.columns * kElement : 0;  // see tile_filters
  p.window_floats = p.window_rows * s.channels * p.window_width * kElement;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// Brings rows [first, first + window_rows) of the padded x into the window, of which all before `next` are there.
void slide_window(const ConvShape& s, const ForwardPlan& p, const float* x, std::int64_t first, std::int64_t& next,
                  float* window) {
  for (next = std::max(next, first); next < first + p.window_rows; ++next) {
    const std::int64_t row = next - s.pad_h;
    float* slot = window + next % p.window_rows * s.channels * p.window_width * kLanes + s.pad_w * kLanes;
    const std::size_t bytes = static_cast<std::size_t>(s.width * kLanes) * sizeof(float);
    for (std::int64_t c = 0; c < s.channels; ++c, slot += p.window_width * kLanes) {
      if (row < 0 || row >= s.height) {
        std::memset(slot, 0, bytes);
      } else {
        std::memcpy(slot, x + (c * s.height + row) * s.width * kLanes, bytes);
      }
    }
  }
}

/// Where the taps of the z row that starts at row `first` of the padded x are found, in order (c, a, b).
void locate_taps(const ConvShape& s, const ForwardPlan& p, std::int64_t first, std::int64_t* taps) {
  const bool in_place = p.window_rows == 0;
  for (std::int64_t c = 0; c < s.channels / s.groups; ++c) {
    for (std::int64_t a = 0; a < s.kernel_h; ++a) {
      const std::int64_t row = first + a * s.dilation_h;
      const std::int64_t start =
          in_place ? (c * s.height + row) * s.width : (row % p.window_rows * s.channels + c) * p.window_width;
      for (std::int64_t b = 0; b < s.kernel_w; ++b) *taps++ = (start + b * s.dilation_w) * kLanes;
    }
  }
}

/// Pools one filter's band of z (`columns` wide) into one row of y and index.
template <int kPoolH, int kPoolW>
HWY_NOINLINE void pool_band(const ConvEpilogue& e, const float* z, std::int64_t columns, float bias, float* y,
                            float* index) {
  const LaneTag d;
  const auto b = hn::Set(d, bias);
  for (std::int64_t q = 0; q < columns / e.pool_w; ++q) {
    for (int part = 0; part < 16; part += kWidth) {
      LaneVec best, place;
      pool_window<kPoolH, kPoolW>(z + q * e.pool_w * kLanes + part, columns * kLanes, e.pool_h, e.pool_w, b, e.relu.on,
                                  best, place);
      hn::Store(best, d, y + q * kLanes + part);
      if (index) hn::Store(place, d, index + q * kLanes + part);
    }
  }
}

/// Shares are of bands of rows.
void direct_forward(const ConvShape& s, const ConvEpilogue& e, const ForwardPlan& p, const float* x,
                    const float* packed, const float* bias, float* y, float* index, float* scratch, Share share) {
  if (p.columns == 0) return;  // windows wider than z: y is empty
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const z = scratch + p.table_floats;
  float* const window = z + p.z_floats;
  if (p.window_rows > 0) std::fill(window, window + p.window_floats, 0.0f);
  const bool pooled = p.z_floats > 0;
  const bool far = !pooled && is_far(s.filters * s.out_h * s.out_w * kLanes);
  const std::int64_t group_filters = s.filters / s.groups;
  const std::int64_t group_x =
      s.channels / s.groups * (p.window_rows > 0 ? p.window_width : s.height * s.width) * kLanes;
  const std::int64_t w_block = p.taps * kWeightBlock;
  const std::int64_t group_w = (group_filters + kWeightBlock - 1) / kWeightBlock * w_block;
  const std::int64_t y_row = p.columns / e.pool_w * kLanes, y_plane = p.bands * y_row;
  const std::int64_t z_row = p.columns * kLanes, z_plane = p.band_rows * z_row;

  const std::int64_t chunk = row_chunk(p.columns, p.taps / s.kernel_w * std::min(s.stride_w, s.kernel_w));

  const Interval bands = share.of(p.bands);
  for (std::int64_t band = bands.begin, next = 0; band < bands.end; ++band) {
    const std::int64_t top = band * p.band_rows * s.stride_h;  // of x, padded
    const float* rows = window;
    if (p.window_rows > 0) {
      slide_window(s, p, x, top, next, window);
    } else {
      rows = x + top * s.width * kLanes;
    }
    if (p.window_rows > 0 || band == bands.begin) {  // in place, every band's taps lie alike
      for (std::int64_t r = 0; r < p.band_rows; ++r) {
        locate_taps(s, p, (p.window_rows > 0 ? top : 0) + r * s.stride_h, taps + r * p.taps);
      }
    }
    for (std::int64_t group = 0; group < s.groups; ++group) {
      const std::int64_t filter = group * group_filters;
      ConvTile t{.x = rows + group * group_x,
                 .taps = taps,
                 .tap_count = p.taps,
                 .x_step = s.stride_w * kLanes,
                 .w = packed + group * group_w,
                 .w_block = w_block,
                 .z = y + filter * y_plane + band * y_row,
                 .z_plane = y_plane,
                 .z_step = kLanes,
                 .bias = e.bias ? bias + filter : nullptr,
                 .relu = e.relu,
                 .far = far};
      if (!pooled) {
        run_row(t, group_filters, p.columns, chunk);
        continue;
      }
      t.z = z;
      t.z_plane = z_plane;
      t.bias = nullptr;
      t.relu = false;
      for (std::int64_t f = 0, n = 0; f < group_filters; f += n) {
        n = tile_filters(group_filters - f, p.columns);
        for (std::int64_t r = 0; r < p.band_rows; ++r) {
          t.taps = taps + r * p.taps;
          t.z = z + r * z_row;
          run_columns(t, n, p.columns);
        }
        t.w += n / kWeightBlock * w_block;
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t to = (filter + f + i) * y_plane + band * y_row;
          const float b = e.bias ? bias[filter + f + i] : kNoBias;
          if (e.pool_h == 2 && e.pool_w == 2) {
            pool_band<2, 2>(e, z + i * z_plane, p.columns, b, y + to, index ? index + to : nullptr);
          } else {
            pool_band<0, 0>(e, z + i * z_plane, p.columns, b, y + to, index ? index + to : nullptr);
          }
        }
      }
    }
  }
  if (far) hwy::FlushStream();
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(direct_forward);
namespace {

class DirectForward : public ConvForwardWithOne {
 public:
  DirectForward(const ConvShape& s, const ConvEpilogue& e)
      : ConvForwardWithOne(pointwise_one_fits(s, e) ? plan_pointwise_one(s, e)
                           : rows_one_fits(s, e)    ? plan_rows_one(s, e)
                                                    : plan_direct_one(s, e)),
        s_(s),
        e_(e),
        plan_(plan_forward(s, e)) {
    packed = static_cast<std::size_t>(s.groups * round_up(s.filters / s.groups, 4) * plan_.taps);
    scratch = static_cast<std::size_t>(plan_.table_floats + plan_.z_floats + plan_.window_floats);
    shares = worth_sharing(s.filters * plan_.taps * s.out_h * s.out_w, plan_.bands);
  }

  // [group][filter / 4][tap][4], with zeros for the filters that fill up a block of 4.
  void pack(const float* w, float* to, Share share) const override {
    const std::int64_t taps = plan_.taps, filters = s_.filters / s_.groups, blocks = (filters + 3) / 4;
    const Interval some = share.of(s_.groups * blocks);
    to += some.begin * taps * 4;
    for (std::int64_t block = some.begin; block < some.end; ++block) {
      const std::int64_t g = block / blocks, f = block % blocks * 4;
      for (std::int64_t t = 0; t < taps; ++t) {
        for (std::int64_t i = 0; i < 4; ++i) *to++ = f + i < filters ? w[(g * filters + f + i) * taps + t] : 0.0f;
      }
    }
  }
  void run(const float* x, const float* from, const float* bias, float* y, float* index, float* room,
           Share share) const override {
    CHALK_CHOSEN(direct_forward)(s_, e_, plan_, x, from, bias, y, index, room, share);
  }

 private:
  ConvShape s_;
  ConvEpilogue e_;
  ForwardPlan plan_;
};

}  // namespace

std::unique_ptr<const ConvForward> plan_direct_forward(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<DirectForward>(s, e);
}

}  // namespace chalk
#endif
