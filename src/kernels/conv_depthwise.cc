#include "src/kernels/conv_depthwise.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "src/kernels/conv_direct.h"
#include "src/kernels/transfer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_depthwise.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_grad_tile-inl.h"

#ifndef CHALKGRAD_CONV_DEPTHWISE_ONCE_
#define CHALKGRAD_CONV_DEPTHWISE_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kPlace = 16;        // floats: one place of sixteen samples
constexpr std::int64_t kDirectPacked = 4;  // floats from a tap to the next in the direct kernel's packed weights
constexpr std::int64_t kGradAhead = 4;     // rows of x: the weight gradient reads them as fast as they come
constexpr std::int64_t kMostKernelRows = 32, kMostRows = 256;  // that are read at once: see conv_weight_grad_bands()

/// Rows of one channel of a map that are kept with zeros beside them, in the nearest cache: row r in slot r mod slots.
/// The last slot but one stays zero: it is all rows outside of the map.
struct RowsPlan {
  std::int64_t height, width;  // of the map
  std::int64_t left, right;    // columns of zeros
  std::int64_t slots;          // as many neighbouring rows are read at once
  std::int64_t row_floats() const { return (left + width + right) * kPlace; }
  std::int64_t floats() const { return (slots + 1) * row_floats(); }
};

RowsPlan rows_of_x(const ConvShape& s, std::int64_t z_rows) {
  return {s.height, s.width, s.pad_w,
          std::max<std::int64_t>((s.out_w - 1) * s.stride_w + s.kernel_w - s.pad_w - s.width, 0),
          (z_rows - 1) * s.stride_h + s.kernel_h};
}

/// Most rows of z in a band of the weight gradient.
std::int64_t most_band_rows(const ConvShape& s) {
  const std::int64_t bands = conv_weight_grad_bands(s);
  return (s.out_h + bands - 1) / bands;
}

/// Sums of the weight gradient; as they are folded, up to 15 beyond are read.
std::int64_t tap_sum_floats(const ConvShape& s) { return (s.kernel_h * s.kernel_w + 15) * kPlace; }

/// A share of the channels, which is a convolution by itself.
struct SomeChannels {
  SomeChannels(const ConvShape& all, Share share) : shape(all), first(share.of(all.channels).begin) {
    shape.channels = shape.filters = shape.groups = share.of(all.channels).size();
  }
  ConvShape shape;
  std::int64_t first;
  std::int64_t x() const { return first * shape.height * shape.width * kPlace; }  // floats before its first,
  std::int64_t z() const { return first * shape.out_h * shape.out_w * kPlace; }   // of x, of z
  std::int64_t w() const { return first * shape.kernel_h * shape.kernel_w; }      // and of weights
};

int depthwise_shares(const ConvShape& s) {
  return worth_sharing(s.channels * s.out_h * s.out_w * (s.kernel_h * s.kernel_w + 8), s.channels);
}

RowsPlan rows_of_dz(const ConvShape& s) {
  return {s.out_h, s.out_w, (s.kernel_w - 1 - s.pad_w + s.stride_w - 1) / s.stride_w,
          std::max<std::int64_t>((s.width - 1 + s.pad_w) / s.stride_w - (s.out_w - 1), 0),
          (s.kernel_h - 1) / s.stride_h + 1};
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

class PaddedRows {
 public:
  /// `ahead`: how many rows before its turn a row is asked for (into the second cache); 0: not at all.
  PaddedRows(const RowsPlan& plan, float* room, std::int64_t ahead = 0) : plan_(plan), room_(room), ahead_(ahead) {
    std::fill_n(room, plan.floats(), 0.0f);
  }
  /// From now on the rows of this map.
  void take(const float* map) {
    map_ = map;
    next_ = 0;
  }
  /// Where row r begins, with its left zeros. Rows are asked for from top to bottom, and then again if they are among
  /// the last `slots`.
  const float* row(std::int64_t r) {
    if (r < 0 || r >= plan_.height) return room_ + plan_.slots * plan_.row_floats();
    float* const slot = room_ + r % plan_.slots * plan_.row_floats();
    if (r >= next_) {
      const std::int64_t floats = plan_.width * kLanes;
      for (std::int64_t i = 0; i < floats && ahead_ > 0; i += kLanes)
        __builtin_prefetch(map_ + (r + ahead_) * floats + i, 0, 2);
      std::memcpy(slot + plan_.left * kLanes, map_ + r * floats, static_cast<std::size_t>(floats) * sizeof(float));
      next_ = r + 1;
    }
    return slot;
  }

 private:
  const RowsPlan plan_;
  float* const room_;
  const std::int64_t ahead_;
  const float* map_ = nullptr;
  std::int64_t next_ = 0;
};

/// z[j] = Σ w[a][t] · x[a][j · stride + t], fma-accumulated over rows a and taps t in order; backwards, x[a][j − t].
struct Strip {
  const float* const* x;      // each row,
  std::int64_t rows, x_at;    // from this float on
  const float* w;             // of the first row's first tap
  std::int64_t w_row, w_tap;  // floats to the next
  bool by_lane = false;       // each lane is a channel, and has weights and a bias of its own
  float* z;
  std::int64_t z_step;  // floats from a column to the next
  const float* bias = nullptr;
  Relu relu{};
};

template <int kTaps, int kStride, bool kBackwards, int kColumns>
HWY_NOINLINE void run_strip(const Strip& strip) {
  constexpr int kReach = (kColumns - 1) * kStride + kTaps;  // columns of x that are read
  const LaneTag d;
  const Strip s = strip;  // a copy: the compiler must assume that storing a float changes `strip`
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec sum[kColumns];
    CHALKGRAD_UNROLL
    for (int j = 0; j < kColumns; ++j) sum[j] = hn::Zero(d);
    const float* w = s.w;
    for (std::int64_t a = 0; a < s.rows; ++a, w += s.w_row) {
      const float* const x = s.x[a] + s.x_at + part;
      LaneVec ws[kTaps];
      CHALKGRAD_UNROLL
      for (int t = 0; t < kTaps; ++t) {
        ws[t] = s.by_lane ? hn::Load(d, w + t * s.w_tap + part) : hn::Set(d, w[t * s.w_tap]);
      }
      CHALKGRAD_UNROLL
      for (int n = 0; n < kReach; ++n) {  // each x is loaded once, and meets the taps of all sums that it enters
        const auto value = hn::Load(d, kBackwards ? x + (kColumns - 1 - n) * kLanes : x + n * kLanes);
        CHALKGRAD_UNROLL
        for (int t = 0; t < kTaps; ++t) {
          const int from = n - t, j = kBackwards ? kColumns - 1 - from : from / kStride;
          if (from < 0 || from % kStride != 0 || from / kStride >= kColumns) continue;
          sum[j] = fused(value, ws[t], sum[j]);
        }
      }
    }
    const auto bias = !s.bias ? hn::Set(d, kNoBias) : s.by_lane ? hn::Load(d, s.bias + part) : hn::Set(d, *s.bias);
    float* const z = s.z + part;
    CHALKGRAD_UNROLL
    for (int j = 0; j < kColumns; ++j) {
      sum[j] = hn::Add(sum[j], bias);
      sum[j] = relu_vec(s.relu, sum[j]);
      hn::Store(sum[j], d, z + j * s.z_step);
    }
  }
}

/// Widths of strips; the widest that registers hold is kStripColumns.
constexpr int kStripWidths[] = {1, 2, 4, 8, 14, 16};

constexpr bool fits_strip(std::int64_t columns, int stride) {
  return columns == 1 || columns * stride <= kStripColumns;
}

/// The width for rows of so many columns that takes the least time. The last strip may begin before the one before it
/// ends.
template <int kStride>
std::int64_t strip_width(std::int64_t columns) {
  constexpr std::int64_t kStart = 2;  // a strip takes this many columns' time more
  std::int64_t best = 1, least = columns * (1 + kStart);
  for (const std::int64_t width : kStripWidths) {
    if (width > columns || !fits_strip(width, kStride)) break;
    const std::int64_t time = (columns + width - 1) / width * (width + kStart);
    if (time <= least) best = width;
    least = std::min(least, time);
  }
  return best;
}

template <int kTaps, int kStride, bool kBackwards, int kWhich = std::size(kStripWidths) - 1>
HWY_INLINE void run_strip(const Strip& strip, std::int64_t width) {
  constexpr int kColumns = kStripWidths[kWhich];
  if constexpr (fits_strip(kColumns, kStride)) {
    if (width == kColumns) return run_strip<kTaps, kStride, kBackwards, kColumns>(strip);
  }
  if constexpr (kWhich > 0) run_strip<kTaps, kStride, kBackwards, kWhich - 1>(strip, width);
}

/// A row of z in strips of that width.
template <int kTaps, int kStride, bool kBackwards>
void run_strips(const Strip& row, std::int64_t columns, std::int64_t width) {
  for (std::int64_t begin = 0; begin < columns; begin += width) {
    const std::int64_t column = std::min(begin, columns - width);
    Strip strip = row;
    strip.x_at += column * kStride * kLanes;
    strip.z += column * row.z_step;
    run_strip<kTaps, kStride, kBackwards>(strip, width);
  }
}

/// How the weights of a channel lie, or, by lane, those of sixteen.
struct Taps {
  const float* w;
  std::int64_t step;  // floats to the next
  bool by_lane = false;
};

template <int kTaps, int kStride>
void forward_channel(const ConvShape& s, const ConvEpilogue& e, PaddedRows& rows, const float* x, const Taps& taps,
                     const float* bias, float* y) {
  const float* at[kMostRows];
  const std::int64_t width = strip_width<kStride>(s.out_w);
  rows.take(x);
  for (std::int64_t p = 0; p < s.out_h; ++p, y += s.out_w * kLanes) {
    for (std::int64_t a = 0; a < s.kernel_h; ++a) at[a] = rows.row(p * s.stride_h + a - s.pad_h);
    run_strips<kTaps, kStride, false>({.x = at,
                                       .rows = s.kernel_h,
                                       .x_at = 0,
                                       .w = taps.w,
                                       .w_row = kTaps * taps.step,
                                       .w_tap = taps.step,
                                       .by_lane = taps.by_lane,
                                       .z = y,
                                       .z_step = kLanes,
                                       .bias = e.bias ? bias : nullptr,
                                       .relu = e.relu},
                                      s.out_w, width);
  }
}

/// run(taps as a constant) for the kernel's width.
template <class Run>
HWY_INLINE void with_width(std::int64_t kernel_w, const Run& run) {
  switch (kernel_w) {
    case 3:
      return run(std::integral_constant<int, 3>());
    case 5:
      return run(std::integral_constant<int, 5>());
    default:
      return run(std::integral_constant<int, 7>());
  }
}

void depthwise_forward(const ConvShape& s, const ConvEpilogue& e, const RowsPlan& plan, const float* x,
                       const float* packed, const float* bias, float* y, float* scratch) {
  PaddedRows rows(plan, scratch);
  with_width(s.kernel_w, [&](auto taps) {
    const auto run = s.stride_w == 1 ? forward_channel<taps(), 1> : forward_channel<taps(), 2>;
    for (std::int64_t c = 0; c < s.channels; ++c) {
      run(s, e, rows, x + c * s.height * s.width * kLanes,
          {packed + c * s.kernel_h * s.kernel_w * kDirectPacked, kDirectPacked}, bias + (e.bias ? c : 0),
          y + c * s.out_h * s.out_w * kLanes);
    }
  });
}

void depthwise_one(const ConvShape& s, const ConvEpilogue& e, const RowsPlan& plan, const float* x, const float* w,
                   const float* bias, float* y, float* scratch) {
  PaddedRows rows(plan, scratch);
  with_width(s.kernel_w, [&](auto taps) {
    const auto run = s.stride_w == 1 ? forward_channel<taps(), 1> : forward_channel<taps(), 2>;
    run(s, e, rows, x, {w, kLanes, true}, bias, y);
  });
}

/// dx's columns first, first + stride, …, which b = phase, phase + stride, … reach; those are so many taps.
template <int kTaps>
void input_grad_row(const ConvShape& s, Strip row, std::int64_t left, std::int64_t phase) {
  const std::int64_t stride = s.stride_w;
  const std::int64_t first = ((phase - s.pad_w) % stride + stride) % stride;
  const std::int64_t columns = (s.width - first + stride - 1) / stride;
  if (columns <= 0) return;
  row.x_at = (left + (first + s.pad_w - phase) / stride) * kLanes;
  row.w += phase;
  row.z += first * kLanes;
  run_strips<kTaps, 1, true>(row, columns, strip_width<1>(columns));
}

void depthwise_input_grad(const ConvShape& s, const RowsPlan& plan, const float* dz, const float* w, float* dx,
                          float* scratch) {
  PaddedRows rows(plan, scratch);
  const float* at[kMostRows];
  for (std::int64_t c = 0; c < s.channels; ++c, w += s.kernel_h * s.kernel_w) {
    rows.take(dz + c * s.out_h * s.out_w * kLanes);
    for (std::int64_t h = 0; h < s.height; ++h, dx += s.width * kLanes) {
      const std::int64_t reach = h + s.pad_h;  // row p of z meets the kernel's row a if p · stride + a is this
      const std::int64_t above = std::max<std::int64_t>(reach - (s.kernel_h - 1), 0);
      const std::int64_t first = (above + s.stride_h - 1) / s.stride_h;
      const std::int64_t last = std::min(s.out_h - 1, reach / s.stride_h);
      for (std::int64_t p = first; p <= last; ++p) at[p - first] = rows.row(p);
      const Strip row{.x = at,
                      .rows = std::max<std::int64_t>(last - first + 1, 0),
                      .x_at = 0,
                      .w = w + (reach - first * s.stride_h) * s.kernel_w,
                      .w_row = -s.stride_h * s.kernel_w,
                      .w_tap = s.stride_w,
                      .z = dx,
                      .z_step = s.stride_w * kLanes};
      if (s.stride_w == 1) {
        with_width(s.kernel_w, [&](auto taps) { input_grad_row<taps()>(s, row, plan.left, 0); });
      } else {
        with_width(s.kernel_w, [&](auto taps) {
          input_grad_row<(taps() + 1) / 2>(s, row, plan.left, 0);
          input_grad_row<taps() / 2>(s, row, plan.left, 1);
        });
      }
    }
  }
}

/// sums[a][t][lane] = Σ dz[p][q] · x[p · stride_h + a][q · stride_w + t], over rows p and columns q in order.
struct TapSums {
  const float* const* x;  // rows of x
  std::int64_t stride_h;
  const float* dz;
  std::int64_t rows, columns;  // of dz
  float* sums;
};

/// Adds kColumns columns, of which dz stays in registers, to the sums of kRows rows of the kernel.
template <int kRows, int kTaps, int kStride, int kColumns>
HWY_INLINE void add_columns(const float* const (&x)[kRows], const float* dz, LaneVec (&sum)[kRows][kTaps]) {
  const LaneTag d;
  LaneVec g[kColumns];
  CHALKGRAD_UNROLL
  for (int j = 0; j < kColumns; ++j) g[j] = hn::Load(d, dz + j * kLanes);
  CHALKGRAD_UNROLL
  for (int n = 0; n < (kColumns - 1) * kStride + kTaps; ++n) {
    CHALKGRAD_UNROLL
    for (int a = 0; a < kRows; ++a) {
      const auto value = hn::Load(d, x[a] + n * kLanes);
      CHALKGRAD_UNROLL
      for (int t = 0; t < kTaps; ++t) {
        const int from = n - t;
        if (from < 0 || from % kStride != 0 || from / kStride >= kColumns) continue;
        sum[a][t] = fused(g[from / kStride], value, sum[a][t]);
      }
    }
  }
}

template <int kRows, int kTaps, int kStride, int kColumns>
HWY_NOINLINE void sum_rows(const TapSums& tap_sums) {
  const LaneTag d;
  const TapSums s = tap_sums;
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec sum[kRows][kTaps];
    CHALKGRAD_UNROLL
    for (int a = 0; a < kRows; ++a) {
      CHALKGRAD_UNROLL
      for (int t = 0; t < kTaps; ++t) sum[a][t] = hn::Zero(d);
    }
    const float* dz = s.dz + part;
    for (std::int64_t p = 0; p < s.rows; ++p) {
      const float* x[kRows];
      CHALKGRAD_UNROLL
      for (int a = 0; a < kRows; ++a) x[a] = s.x[p * s.stride_h + a] + part;
      std::int64_t q = 0;
      const auto go_on = [&](int columns) HWY_ATTR {
        q += columns;
        dz += columns * kLanes;
        CHALKGRAD_UNROLL
        for (int a = 0; a < kRows; ++a) x[a] += columns * kStride * kLanes;
      };
      for (; q + kColumns <= s.columns; go_on(kColumns)) add_columns<kRows, kTaps, kStride, kColumns>(x, dz, sum);
      for (; q < s.columns; go_on(1)) add_columns<kRows, kTaps, kStride, 1>(x, dz, sum);
    }
    CHALKGRAD_UNROLL
    for (int a = 0; a < kRows; ++a) {
      CHALKGRAD_UNROLL
      for (int t = 0; t < kTaps; ++t) hn::Store(sum[a][t], d, s.sums + (a * kTaps + t) * kLanes + part);
    }
  }
}

/// How many rows of the kernel are summed at once: as many as have room for their sums.
template <int kTaps>
constexpr int kTogether = std::clamp(kTapSums / kTaps, 1, 3);

template <int kTaps, int kStride, int kColumns, int kRows = kTogether<kTaps>>
HWY_INLINE void sum_rows(const TapSums& s, std::int64_t rows) {
  if (rows == kRows) {
    sum_rows<kRows, kTaps, kStride, kColumns>(s);
  } else if constexpr (kRows > 1) {
    sum_rows<kTaps, kStride, kColumns, kRows - 1>(s, rows);
  }
}

/// The sums of all rows of the kernel.
template <int kTaps, int kStride>
void sum_kernel(TapSums s, std::int64_t kernel_h) {
  constexpr std::int64_t kMost = kTogether<kTaps>;
  for (std::int64_t left = kernel_h, i = (kernel_h + kMost - 1) / kMost; i > 0; --i) {
    const std::int64_t rows = (left + i - 1) / i;
    sum_rows<kTaps, kStride, kTapColumns>(s, rows);
    s.x += rows;
    s.sums += rows * kTaps * kLanes;
    left -= rows;
  }
}

void depthwise_weight_grad(const ConvShape& s, const RowsPlan& plan, const float* x, const float* dz, float* dw,
                           int valid, bool accumulate, float* scratch) {
  const float* at[kMostRows];
  float* const sums = scratch;
  PaddedRows rows(plan, sums + tap_sum_floats(s), kGradAhead);
  const ValidLanes mask = first_lanes(valid);
  const std::int64_t bands = conv_weight_grad_bands(s), taps = s.kernel_h * s.kernel_w;
  for (std::int64_t c = 0; c < s.channels; ++c, dw += taps) {
    rows.take(x + c * s.height * s.width * kLanes);
    for (std::int64_t band = 0; band < bands; ++band) {
      const std::int64_t first = s.out_h * band / bands, last = s.out_h * (band + 1) / bands;
      const std::int64_t x_rows = (last - first - 1) * s.stride_h + s.kernel_h;
      for (std::int64_t r = 0; r < x_rows; ++r) at[r] = rows.row(first * s.stride_h + r - s.pad_h);
      const TapSums t{.x = at,
                      .stride_h = s.stride_h,
                      .dz = dz + (c * s.out_h + first) * s.out_w * kLanes,
                      .rows = last - first,
                      .columns = s.out_w,
                      .sums = sums};
      with_width(s.kernel_w, [&](auto width) {
        s.stride_w == 1 ? sum_kernel<width(), 1>(t, s.kernel_h) : sum_kernel<width(), 2>(t, s.kernel_h);
      });
      fold_taps(sums, mask, taps, accumulate || band > 0, dw);
    }
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(depthwise_forward);
CHALK_EXPORT(depthwise_one);
CHALK_EXPORT(depthwise_input_grad);
CHALK_EXPORT(depthwise_weight_grad);
namespace {

class DepthwiseForward : public ConvForward {
 public:
  DepthwiseForward(const ConvShape& s, const ConvEpilogue& e)
      : s_(s), e_(e), rows_(rows_of_x(s, 1)), direct_(plan_direct_forward(s, e)) {
    packed = direct_->packed;
    scratch = static_cast<std::size_t>(rows_.floats());
    scratch_one = static_cast<std::size_t>(one_floats() + rows_.floats());
    shares = depthwise_shares(s);
    shares_one = worth_sharing(s.channels * s.out_h * s.out_w * (s.kernel_h * s.kernel_w + 40) / kPlace,
                               (s.channels + kPlace - 1) / kPlace);
  }
  void pack(const float* w, float* to, Share share) const override { direct_->pack(w, to, share); }
  void run(const float* x, const float* from, const float* bias, float* y, float*, float* room,
           Share share) const override {
    const SomeChannels some(s_, share);
    CHALK_CHOSEN(depthwise_forward)
    (some.shape, e_, rows_, x + some.x(), from + some.w() * kDirectPacked, e_.bias ? bias + some.first : nullptr,
     y + some.z(), room);
  }
  void run_one(const float* x, const float* from, const float* bias, float* y, float*, float* room,
               Share share) const override {
    const std::int64_t x_plane = s_.height * s_.width, y_plane = s_.out_h * s_.out_w;
    float *const lanes = room, *const made = lanes + x_plane * kPlace, *const w = made + y_plane * kPlace;
    float* const biases = w + taps() * kPlace;
    const Interval some = share.of(s_.channels, kPlace);
    for (std::int64_t c = some.begin; c < some.end; c += kPlace) {
      const std::int64_t count = std::min(kPlace, some.end - c);
      for (std::int64_t n = 0; n < kPlace; ++n) {
        const std::int64_t channel = std::min(n, count - 1);
        for (std::int64_t k = 0; k < taps(); ++k)
          w[k * kPlace + n] = from[((c + channel) * taps() + k) * kDirectPacked];
        if (e_.bias) biases[n] = bias[c + channel];
      }
      gather_channels(x + c * x_plane, static_cast<std::size_t>(x_plane), static_cast<int>(count), lanes);
      CHALK_CHOSEN(depthwise_one)(s_, e_, rows_, lanes, w, biases, made, room + one_floats());
      scatter_values(made, static_cast<std::size_t>(y_plane), static_cast<int>(count), y + c * y_plane);
    }
  }

 private:
  std::int64_t taps() const { return s_.kernel_h * s_.kernel_w; }
  /// Sixteen channels of x and of y, their weights and biases.
  std::int64_t one_floats() const { return (s_.height * s_.width + s_.out_h * s_.out_w + taps() + 1) * kPlace; }

  ConvShape s_;
  ConvEpilogue e_;
  RowsPlan rows_;
  std::unique_ptr<const ConvForward> direct_;  // whose packed weights it reads
};

class DepthwiseInputGrad : public ConvInputGrad {
 public:
  explicit DepthwiseInputGrad(const ConvShape& s) : s_(s), rows_(rows_of_dz(s)) {
    packed = static_cast<std::size_t>(s.channels * s.kernel_h * s.kernel_w);
    scratch = static_cast<std::size_t>(rows_.floats());
    shares = depthwise_shares(s);
  }
  void pack(const float* w, float* to, Share share) const override {
    const Interval some = share.of(static_cast<std::int64_t>(packed));
    std::copy(w + some.begin, w + some.end, to + some.begin);
  }
  void run(const float* dz, const float* from, float* dx, float* room, Share share) const override {
    const SomeChannels some(s_, share);
    CHALK_CHOSEN(depthwise_input_grad)(some.shape, rows_, dz + some.z(), from + some.w(), dx + some.x(), room);
  }

 private:
  ConvShape s_;
  RowsPlan rows_;
};

class DepthwiseWeightGrad : public ConvWeightGrad {
 public:
  explicit DepthwiseWeightGrad(const ConvShape& s) : s_(s), rows_(rows_of_x(s, most_band_rows(s))) {
    scratch = static_cast<std::size_t>(tap_sum_floats(s) + rows_.floats());
    shares = depthwise_shares(s);
  }
  void run(const float* x, const float* dz, float* dw, int valid, bool accumulate, float* room,
           Share share) const override {
    const SomeChannels some(s_, share);
    CHALK_CHOSEN(depthwise_weight_grad)
    (some.shape, rows_, x + some.x(), dz + some.z(), dw + some.w(), valid, accumulate, room);
  }

 private:
  ConvShape s_;
  RowsPlan rows_;
};

}  // namespace

bool depthwise_fits(const ConvShape& s) {
  const auto up_to = [](std::int64_t most, std::int64_t n) { return n <= most; };
  return s.groups == s.channels && s.groups == s.filters && (s.kernel_w == 3 || s.kernel_w == 5 || s.kernel_w == 7) &&
         up_to(kMostKernelRows, s.kernel_h) && up_to(2, s.stride_h) && up_to(2, s.stride_w) && s.dilation_h == 1 &&
         s.dilation_w == 1 && s.pad_h < s.kernel_h && s.pad_w < s.kernel_w;
}

std::unique_ptr<const ConvForward> plan_depthwise_forward(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<DepthwiseForward>(s, e);
}

std::unique_ptr<const ConvInputGrad> plan_depthwise_input_grad(const ConvShape& s) {
  return std::make_unique<DepthwiseInputGrad>(s);
}

std::unique_ptr<const ConvWeightGrad> plan_depthwise_weight_grad(const ConvShape& s) {
  return std::make_unique<DepthwiseWeightGrad>(s);
}

}  // namespace chalk
#endif
