#include "src/kernels/conv_pointwise.h"

#include <algorithm>

#include "src/kernels/conv_direct.h"
#include "src/kernels/conv_one.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_pointwise.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "src/kernels/outer-inl.h"

#ifndef CHALKGRAD_CONV_POINTWISE_ONCE_
#define CHALKGRAD_CONV_POINTWISE_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kPlace = 16;  // floats: one place of sixteen samples

constexpr std::int64_t kNearColumns = 6;  // copied side by side: as many as a register tile has
constexpr std::int64_t kSummed = 64;      // of x's channels, of which as many columns stay in the nearest cache

constexpr std::int64_t kGradPlaces = 32;  // of a weight gradient, whose transposed values stay in the next cache

/// y[o][p] = Σ w[o][c] · x[c][p], fma-accumulated from +0 over c in order.
struct Product {
  std::int64_t from, to, places;  // channels of x, of y

  std::int64_t table_floats() const { return (2 * std::min(from, kSummed) + kPlace - 1) / kPlace * kPlace; }  // 64 bits
  std::int64_t scratch() const { return table_floats() + std::min(from, kSummed) * kNearColumns * kPlace; }
  int shares() const { return worth_sharing(from * to * places, places / kNearColumns); }
};

/// The weight gradient as sums of products: m[i][j] = Σ a[i][p][n] · b[j][p][n], where b is the smaller of x and dz.
/// Its lanes are transposed, for some places at a time.
struct GradProduct {
  std::int64_t channels, filters, places;

  bool of_filters() const { return filters >= channels; }  // a is dz
  std::int64_t rows() const { return std::max(channels, filters); }
  std::int64_t columns() const { return std::min(channels, filters); }
  std::int64_t padded() const { return (columns() + kPlace - 1) / kPlace * kPlace; }
  std::int64_t b_floats() const { return kGradPlaces * kPlace * padded(); }
  std::int64_t m_floats() const { return rows() * padded(); }
  std::int64_t scratch() const { return b_floats() + 2 * m_floats(); }
  int shares() const { return worth_sharing(channels * filters * places, rows() / 8); }
};

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void list_taps(std::int64_t count, std::int64_t step, std::int64_t* taps) {
  for (std::int64_t i = 0; i < count; ++i) taps[i] = i * step * kLanes;
}

/// The first kWeightBlock filters of a product read x from far; what they read they leave side by side for the others:
/// near[c][j]. z[f][j] = (z[f][j] or +0) + Σ w[c][f] · x[c][j].
struct FarTile {
  const float* x;
  std::int64_t plane, from;
  const float* w;  // [c][4]
  float* near;
  std::int64_t near_row;
  float* z;
  std::int64_t z_plane;
  bool accumulate;
};

template <int kColumns>
HWY_NOINLINE void run_far_tile(const FarTile& tile) {
  constexpr int kFilters = kWeightBlock;
  const LaneTag d;
  const FarTile t = tile;  // a copy: the compiler must assume that storing a float changes `tile`
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec sum[kFilters][kColumns];
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) {
      CHALKGRAD_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        sum[f][j] = t.accumulate ? hn::Load(d, t.z + f * t.z_plane + j * kLanes + part) : hn::Zero(d);
      }
    }
    const float *x = t.x + part, *w = t.w;
    float* near = t.near + part;
    for (std::int64_t c = 0; c < t.from; ++c, x += t.plane, near += t.near_row, w += kWeightBlock) {
      LaneVec xs[kColumns];
      CHALKGRAD_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        xs[j] = hn::Load(d, x + j * kLanes);
        hn::Store(xs[j], d, near + j * kLanes);
        __builtin_prefetch(x + (kNearColumns + j) * kLanes);  // for the next columns
      }
      CHALKGRAD_UNROLL
      for (int f = 0; f < kFilters; ++f) {
        const auto wf = hn::Set(d, w[f]);
        CHALKGRAD_UNROLL
        for (int j = 0; j < kColumns; ++j) sum[f][j] = fused(xs[j], wf, sum[f][j]);
      }
    }
    CHALKGRAD_UNROLL
    for (int f = 0; f < kFilters; ++f) {
      CHALKGRAD_UNROLL
      for (int j = 0; j < kColumns; ++j) hn::Store(sum[f][j], d, t.z + f * t.z_plane + j * kLanes + part);
    }
  }
}

template <int kColumns = tile_columns(kWeightBlock)>
HWY_INLINE void run_far_width(const FarTile& t, std::int64_t columns) {
  if (columns == kColumns) {
    run_far_tile<kColumns>(t);
  } else if constexpr (kColumns > 1) {
    run_far_width<kColumns - 1>(t, columns);
  }
}

/// As many columns as are copied side by side, or fewer.
void run_far(FarTile t, std::int64_t columns) {
  for (std::int64_t left = columns; left > 0;) {
    const std::int64_t width = std::min<std::int64_t>(left, tile_columns(kWeightBlock));
    run_far_width(t, width);
    t.x += width * kLanes;
    t.near += width * kLanes;
    t.z += width * kLanes;
    left -= width;
  }
}

/// z = max(0, z + bias), in place; without relu, z + bias.
void finish_columns(float* z, std::int64_t plane, std::int64_t planes, std::int64_t columns, const float* bias,
                    const Relu& relu) {
  const LaneTag d;
  for (std::int64_t f = 0; f < planes; ++f, z += plane) {
    const auto b = hn::Set(d, bias ? bias[f] : kNoBias);
    for (std::int64_t i = 0; i < columns * kLanes; i += kWidth) {
      const auto value = hn::Add(hn::Load(d, z + i), b);
      hn::Store(relu_vec(relu, value), d, z + i);
    }
  }
}

/// Shares are of places.
void pointwise_product(const Product& p, const float* x, const float* packed, const float* bias, const Relu& relu,
                       float* y, float* scratch, Share share) {
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const near = scratch + p.table_floats();
  constexpr std::int64_t first = kWeightBlock;
  const std::int64_t plane = p.places * kLanes;
  const Interval columns = share.of(p.places, kNearColumns);
  const bool far = p.from <= kSummed && is_far(p.to * plane);
  for (std::int64_t column = columns.begin; column < columns.end; column += kNearColumns) {
    const std::int64_t width = std::min(kNearColumns, columns.end - column);
    if (column == columns.begin || width < kNearColumns) list_taps(std::min(p.from, kSummed), width, taps);
    float* const z = y + column * kLanes;
    for (std::int64_t c = 0; c < p.from; c += kSummed) {
      const std::int64_t summed = std::min(kSummed, p.from - c);
      const bool last = c + summed == p.from;
      run_far({.x = x + c * plane + column * kLanes,
               .plane = plane,
               .from = summed,
               .w = packed + c * kWeightBlock,
               .near = near,
               .near_row = width * kLanes,
               .z = z,
               .z_plane = plane,
               .accumulate = c > 0},
              width);
      const ConvTile t{.x = near,
                       .taps = taps,
                       .tap_count = summed,
                       .x_step = kLanes,
                       .w = packed + (p.from + c) * kWeightBlock,
                       .w_block = p.from * kWeightBlock,
                       .z = z + first * plane,
                       .z_plane = plane,
                       .z_step = kLanes,
                       .accumulate = c > 0,
                       .bias = last && bias ? bias + first : nullptr,
                       .relu = last ? relu : Relu(),
                       .far = far};
      run_row(t, p.to - first, width, width);
    }
    if (bias || relu) finish_columns(z, plane, first, width, bias, relu);
  }
  if (far) hwy::FlushStream();
}

/// Shares are of rows.
void pointwise_weight_grad(const GradProduct& p, const float* x, const float* dz, float* dw, int valid, bool accumulate,
                           float* scratch, Share share) {
  const float *const a = p.of_filters() ? dz : x, *const b = p.of_filters() ? x : dz;
  const std::int64_t plane = p.places * kLanes, columns = p.columns(), padded = p.padded();
  float *const transposed = scratch, *const m = scratch + p.b_floats();  // [place][n][j], [i][j]
  float* const of_band = m + p.m_floats();
  const Interval rows = share.of(p.rows(), 8);
  const std::int64_t m_first = rows.begin * padded, m_end = rows.end * padded;
  const FoldOrder one_slot(1);
  const LaneTag d;
  for (std::int64_t first = 0; first < p.places; first += kGradPlaces) {
    const std::int64_t places = std::min(kGradPlaces, p.places - first);
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      for (std::int64_t i = 0; i < places; ++i) {
        transpose_lanes(b + j * plane + (first + i) * kLanes, plane, columns - j, transposed + i * kLanes * padded + j,
                        padded);
      }
    }
    outer_sums({.a_row = plane,
                .b_row = padded,
                .c_row = padded,
                .a_group = kLanes,
                .b_group = kLanes * padded,
                .groups = places,
                .valid = valid,
                .last = valid,
                .slots = one_slot},
               StoreSums(), a + rows.begin * plane + first * kLanes, transposed, (first == 0 ? m : of_band) + m_first,
               rows.size(), padded);
    for (std::int64_t i = m_first; i < m_end && first > 0; i += kWidth)
      hn::Store(hn::Add(hn::Load(d, m + i), hn::Load(d, of_band + i)), d, m + i);
  }
  const Interval filters = p.of_filters() ? rows : Interval{0, p.filters};
  const Interval channels = p.of_filters() ? Interval{0, p.channels} : rows;
  for (std::int64_t f = filters.begin; f < filters.end; ++f) {
    for (std::int64_t c = channels.begin; c < channels.end; ++c) {
      const float sum = p.of_filters() ? m[f * padded + c] : m[c * padded + f];
      float& to = dw[f * p.channels + c];
      to = accumulate ? to + sum : sum;
    }
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(pointwise_product);
CHALK_EXPORT(pointwise_weight_grad);
namespace {

class PointwiseForward : public ConvForwardWithOne {
 public:
  PointwiseForward(const ConvShape& s, const ConvEpilogue& e)
      : ConvForwardWithOne(plan_pointwise_one(s, e)),
        e_(e),
        product_{s.channels, s.filters, s.out_h * s.out_w},
        direct_(plan_direct_forward(s, e)) {
    packed = direct_->packed;
    scratch = static_cast<std::size_t>(product_.scratch());
    shares = product_.shares();
  }
  void pack(const float* w, float* to, Share share) const override { direct_->pack(w, to, share); }
  void run(const float* x, const float* from, const float* bias, float* y, float*, float* room,
           Share share) const override {
    CHALK_CHOSEN(pointwise_product)(product_, x, from, e_.bias ? bias : nullptr, e_.relu, y, room, share);
  }

 private:
  ConvEpilogue e_;
  Product product_;
  std::unique_ptr<const ConvForward> direct_;  // whose packed weights it reads
};

/// The product with the transposed weights.
class PointwiseInputGrad : public ConvInputGrad {
 public:
  explicit PointwiseInputGrad(const ConvShape& s)
      : product_{s.filters, s.channels, s.out_h * s.out_w}, direct_(plan_direct_input_grad(s)) {
    packed = direct_->packed;
    scratch = static_cast<std::size_t>(product_.scratch());
    shares = product_.shares();
  }
  void pack(const float* w, float* to, Share share) const override { direct_->pack(w, to, share); }
  void run(const float* dz, const float* from, float* dx, float* room, Share share) const override {
    CHALK_CHOSEN(pointwise_product)(product_, dz, from, nullptr, false, dx, room, share);
  }

 private:
  Product product_;
  std::unique_ptr<const ConvInputGrad> direct_;  // whose packed weights it reads
};

class PointwiseWeightGrad : public ConvWeightGrad {
 public:
  explicit PointwiseWeightGrad(const ConvShape& s) : product_{s.channels, s.filters, s.out_h * s.out_w} {
    scratch = static_cast<std::size_t>(product_.scratch());
    shares = product_.shares();
  }
  void run(const float* x, const float* dz, float* dw, int valid, bool accumulate, float* room,
           Share share) const override {
    CHALK_CHOSEN(pointwise_weight_grad)(product_, x, dz, dw, valid, accumulate, room, share);
  }

 private:
  GradProduct product_;
};

}  // namespace

bool pointwise_fits(const ConvShape& s) {
  return s.channels >= 4 && s.filters >= 4 && s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 &&
         s.stride_w == 1 && s.pad_h == 0 && s.pad_w == 0 && s.groups == 1;
}

// Few channels and filters meet so seldom that copying costs more than it saves: for few filters the forward map, which
// the direct kernels do in place, needs more of them.
bool pointwise_forward_pays(const ConvShape& s) {
  return pointwise_input_grad_pays(s) && (s.filters >= s.channels || s.filters >= 48);
}
bool pointwise_input_grad_pays(const ConvShape& s) {
  return pointwise_fits(s) && s.channels >= 16 && s.filters >= 16 && s.out_h * s.out_w >= 16;
}
// Time in products: to transpose a place's value takes as long as its products with 8 rows, and the direct kernels,
// which fold lanes and wait for caches, take one and a half times their products.
bool pointwise_weight_grad_pays(const ConvShape& s) {
  const GradProduct p{s.channels, s.filters, s.out_h * s.out_w};
  return pointwise_input_grad_pays(s) && 11 * p.padded() * (p.rows() + 8) <= 16 * p.columns() * p.rows();
}

std::unique_ptr<const ConvForward> plan_pointwise_forward(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<PointwiseForward>(s, e);
}

std::unique_ptr<const ConvInputGrad> plan_pointwise_input_grad(const ConvShape& s) {
  return std::make_unique<PointwiseInputGrad>(s);
}

std::unique_ptr<const ConvWeightGrad> plan_pointwise_weight_grad(const ConvShape& s) {
  return std::make_unique<PointwiseWeightGrad>(s);
}

}  // namespace chalk
#endif
