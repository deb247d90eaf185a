// dw from x and dz: every lane sums its own sample's products, then the lanes are folded.
#include <algorithm>
#include <cstring>

#include "src/kernels/conv_direct.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_weight_grad.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_grad_tile-inl.h"

#ifndef CHALKGRAD_CONV_WEIGHT_GRAD_ONCE_
#define CHALKGRAD_CONV_WEIGHT_GRAD_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kElement = 16;       // floats: one place of sixteen samples
constexpr std::int64_t kBandPlaces = 96;    // of z in a band, at least, if z has as many
constexpr std::int64_t kGradSums = 4 * 48;  // see GradTile
constexpr std::int64_t kFewPlaces = 4;
constexpr std::int64_t kTransposed = 8192;  // floats that stay in the nearest cache

/// How a shape is gone about. The bands are part of the arithmetic: z's rows are summed and folded band
/// by band, so that a band's x and dz stay in cache while all filters and taps use them.
struct GradPlan {
  std::int64_t bands;
  std::int64_t taps;  // a filter's weights
  bool padded;        // x's rows of a band are copied: [channel][row][padded column]
  bool few_places;    // z is so small that transposing x beats folding lanes
  std::int64_t copy_rows, copy_width;
  std::int64_t table_floats, sum_floats, copy_floats;  // scratch, in this order
};

GradPlan plan_weight_grad(const ConvShape& s) {
  GradPlan p;
  p.bands = conv_weight_grad_bands(s);
  p.taps = s.channels / s.groups * s.kernel_h * s.kernel_w;
  p.padded = s.pad_h > 0 || s.pad_w > 0;
  const std::int64_t most_rows = (s.out_h + p.bands - 1) / p.bands;
  p.copy_rows = (most_rows - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  p.copy_width = s.width + 2 * s.pad_w;
  p.table_floats = (2 * p.taps + kElement - 1) / kElement * kElement;  // offsets are 64-bit
  const std::int64_t places = s.out_h * s.out_w;
  p.few_places = places <= kFewPlaces;
  p.sum_floats = p.few_places ? kTransposed : kGradSums * kElement;
  p.copy_floats = p.padded ? s.channels * p.copy_rows * p.copy_width * kElement : 0;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// For z of few places: dw's taps side by side in vectors, the lanes of x and dz one after another.
struct FewPlaces {
  const float* xt;  // [place][lane][taps]
  std::int64_t xt_lane;
  const float* dz;  // [filter][place][lane]
  std::int64_t dz_plane;
  int valid;
};

/// sums[f] = the fold of lanes kLane, kLane + kStep, kLane + 2·kStep, …: the same tree as fold_sums'.
template <int kFilters, int kPlaces, int kLane = 0, int kStep = 1>
HWY_INLINE void fold_places(const FewPlaces& few, LaneVec (&sums)[kFilters]) {
  const LaneTag d;
  if constexpr (kStep < 16) {
    LaneVec others[kFilters];
    fold_places<kFilters, kPlaces, kLane, 2 * kStep>(few, sums);
    fold_places<kFilters, kPlaces, kLane + kStep, 2 * kStep>(few, others);
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) sums[f] = hn::Add(sums[f], others[f]);
  } else {
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) sums[f] = hn::Zero(d);
    if (kLane >= few.valid) return;
    CHALKGRAD_UNROLL
    for (int p = 0; p < kPlaces; ++p) {
      const auto x = hn::Load(d, few.xt + (p * kLanes + kLane) * few.xt_lane);
      CHALKGRAD_UNROLL
      for (int f = 0; f < kFilters; ++f) {
        sums[f] = fused(hn::Set(d, few.dz[f * few.dz_plane + p * kLanes + kLane]), x, sums[f]);
      }
    }
  }
}

/// dw[f][0 … taps) (+)= the folds, for up to kWidth taps.
template <int kFilters, int kPlaces>
HWY_NOINLINE void run_few_places(const FewPlaces& t, std::int64_t taps, bool accumulate, float* dw,
                                 std::int64_t dw_row) {
  const FewPlaces few = t;
  LaneVec sums[kFilters];
  fold_places<kFilters, kPlaces>(few, sums);
  CHALKGRAD_UNROLL
  for (int f = 0; f < kFilters; ++f) store_folded(sums[f], taps, accumulate, dw + f * dw_row);
}

template <int kFilters>
HWY_INLINE void run_few_places(const FewPlaces& t, std::int64_t places, std::int64_t taps, bool accumulate, float* dw,
                               std::int64_t dw_row) {
  switch (places) {
    case 1:
      return run_few_places<kFilters, 1>(t, taps, accumulate, dw, dw_row);
    case 2:
      return run_few_places<kFilters, 2>(t, taps, accumulate, dw, dw_row);
    case 3:
      return run_few_places<kFilters, 3>(t, taps, accumulate, dw, dw_row);
    default:
      return run_few_places<kFilters, 4>(t, taps, accumulate, dw, dw_row);
  }
}

/// to[place][lane][k] = x[place + taps[k]][lane], zero from `count` on, for each place in turn.
void transpose_taps(const GradTile& t, std::int64_t count, std::int64_t padded, float* to) {
  const LaneTag d;
  for (std::int64_t row = 0; row < t.rows; ++row) {
    for (std::int64_t column = 0; column < t.columns; ++column, to += kLanes * padded) {
      const float* x = t.x + row * t.x_row + column * t.x_step;
      for (std::int64_t k = 0; k < padded; k += kWidth) {
        for (int part = 0; part < 16; part += kWidth) {
          LaneVec v[kWidth];
          for (int i = 0; i < kWidth; ++i) v[i] = k + i < count ? hn::Load(d, x + t.taps[k + i] + part) : hn::Zero(d);
          transpose_vectors(v);
          for (int i = 0; i < kWidth; ++i) hn::Store(v[i], d, to + (part + i) * padded + k);
        }
      }
    }
  }
}

/// All filters of a group, some taps at a time: t says where x, dz and the taps are.
void few_places(GradTile t, std::int64_t filters, std::int64_t taps, int valid, bool accumulate, float* dw,
                float* scratch) {
  constexpr bool portable = HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128;
  constexpr std::int64_t together = portable ? 1 : kGradFilters;  // few copies of what is only there for correctness
  const std::int64_t places = t.rows * t.columns, most = kTransposed / (places * kLanes) / kLanes * kLanes;
  for (std::int64_t k = 0; k < taps; k += most, t.taps += most) {
    const std::int64_t count = std::min(most, taps - k), padded = (count + kLanes - 1) / kLanes * kLanes;
    transpose_taps(t, count, padded, scratch);
    for (std::int64_t f = 0; f < filters; f += together) {
      for (std::int64_t i = 0; i < count; i += kWidth) {
        const FewPlaces few{scratch + i, padded, t.dz + f * t.dz_plane, t.dz_plane, valid};
        float* to = dw + f * taps + k + i;
        const std::int64_t n = std::min<std::int64_t>(kWidth, count - i);
        switch (portable ? 1 : std::min(together, filters - f)) {
          case 1:
            run_few_places<1>(few, places, n, accumulate, to, taps);
            break;
          case 2:
            run_few_places<2>(few, places, n, accumulate, to, taps);
            break;
          case 3:
            run_few_places<3>(few, places, n, accumulate, to, taps);
            break;
          default:
            run_few_places<4>(few, places, n, accumulate, to, taps);
        }
      }
    }
  }
}

/// Copies the rows of x that rows [first, last) of z read, zero-padded.
void copy_band(const ConvShape& s, const GradPlan& p, const float* x, std::int64_t first, std::int64_t last,
               float* copy) {
  const std::int64_t rows = (last - first - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  const std::int64_t margin = s.pad_w * kLanes, width = s.width * kLanes;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float* to = copy + (c * p.copy_rows + r) * p.copy_width * kLanes;
      const std::int64_t row = first * s.stride_h + r - s.pad_h;
      if (row < 0 || row >= s.height) {
        std::fill(to, to + 2 * margin + width, 0.0f);
      } else {
        std::fill(to, to + margin, 0.0f);
        std::memcpy(to + margin, x + (c * s.height + row) * width, static_cast<std::size_t>(width) * sizeof(float));
        std::fill(to + margin + width, to + 2 * margin + width, 0.0f);
      }
    }
  }
}

/// Shares are of filters.
void direct_weight_grad(const ConvShape& s, const GradPlan& p, const float* x, const float* dz, float* dw, int valid,
                        bool accumulate, float* scratch, Share share) {
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const sums = scratch + p.table_floats;
  float* const copy = sums + p.sum_floats;
  const std::int64_t group_filters = s.filters / s.groups, group_channels = s.channels / s.groups;
  const std::int64_t x_row = (p.padded ? p.copy_width : s.width) * kLanes;
  const std::int64_t x_plane = (p.padded ? p.copy_rows : s.height) * x_row;
  const std::int64_t dz_row = s.out_w * kLanes, dz_plane = s.out_h * dz_row;
  const ValidLanes mask = first_lanes(valid);
  const Interval all_filters = share.of(s.filters, kGradFilters);

  std::int64_t* tap = taps;
  for (std::int64_t c = 0; c < group_channels; ++c) {
    for (std::int64_t a = 0; a < s.kernel_h; ++a) {
      for (std::int64_t b = 0; b < s.kernel_w; ++b) {
        *tap++ = c * x_plane + a * s.dilation_h * x_row + b * s.dilation_w * kLanes;
      }
    }
  }
  for (std::int64_t band = 0; band < p.bands; ++band) {
    const std::int64_t first = s.out_h * band / p.bands, last = s.out_h * (band + 1) / p.bands;
    if (p.padded) copy_band(s, p, x, first, last, copy);
    const float* band_x = p.padded ? copy : x + first * s.stride_h * x_row;
    for (std::int64_t group = 0; group < s.groups; ++group) {
      const std::int64_t before = group * group_filters;
      const Interval of_group = all_filters.among(before, group_filters);
      if (of_group.size() == 0) continue;
      GradTile t{.x = band_x + group * group_channels * x_plane,
                 .taps = taps,
                 .x_step = s.stride_w * kLanes,
                 .x_row = s.stride_h * x_row,
                 .dz = dz + (before + of_group.begin) * dz_plane + first * dz_row,
                 .dz_plane = dz_plane,
                 .rows = last - first,
                 .columns = s.out_w,
                 .sums = sums};
      float* group_dw = dw + (before + of_group.begin) * p.taps;
      if (p.few_places) {
        few_places(t, of_group.size(), p.taps, valid, accumulate, group_dw, sums);
        continue;
      }
      for (std::int64_t f = 0; f < of_group.size(); f += kGradFilters, t.dz += kGradFilters * dz_plane) {
        const std::int64_t filters = std::min(kGradFilters, of_group.size() - f);
        for (std::int64_t k = 0; k < p.taps; k += kGradTaps) {
          const std::int64_t count = std::min(kGradTaps, p.taps - k);
          t.taps = taps + k;
          sum_taps(t, filters, count);
          for (std::int64_t i = 0; i < filters; ++i) {
            fold_taps(sums + i * kGradTaps * kLanes, mask, count, accumulate || band > 0,
                      group_dw + (f + i) * p.taps + k);
          }
        }
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(direct_weight_grad);
namespace {

class DirectWeightGrad : public ConvWeightGrad {
 public:
  explicit DirectWeightGrad(const ConvShape& s) : s_(s), plan_(plan_weight_grad(s)) {
    scratch = static_cast<std::size_t>(plan_.table_floats + plan_.sum_floats + plan_.copy_floats);
    shares = worth_sharing(s.filters * plan_.taps * s.out_h * s.out_w, s.filters / 4);
  }
  void run(const float* x, const float* dz, float* dw, int valid, bool accumulate, float* room,
           Share share) const override {
    CHALK_CHOSEN(direct_weight_grad)(s_, plan_, x, dz, dw, valid, accumulate, room, share);
  }

 private:
  ConvShape s_;
  GradPlan plan_;
};

}  // namespace

std::int64_t conv_weight_grad_bands(const ConvShape& s) {
  const std::int64_t rows = std::clamp<std::int64_t>((kBandPlaces + s.out_w - 1) / s.out_w, 1, s.out_h);
  return (s.out_h + rows - 1) / rows;
}

std::unique_ptr<const ConvWeightGrad> plan_direct_weight_grad(const ConvShape& s) {
  return std::make_unique<DirectWeightGrad>(s);
}

}  // namespace chalk
#endif
