// A 1 × 1 convolution of one sample is a product of matrices, y = w · x: a lane is a place, and the tiles are those of
// sixteen samples (conv_tile-inl.h).
#include <algorithm>

#include "src/kernels/conv_one.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_pointwise_one.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"

#ifndef CHALKGRAD_CONV_POINTWISE_ONE_ONCE_
#define CHALKGRAD_CONV_POINTWISE_ONE_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kGroups = 6;        // of sixteen places, copied side by side: as many as a register tile has
constexpr std::int64_t kSummed = 64;       // of x's channels, of which as many groups stay in the nearest cache
constexpr std::int64_t kManyFilters = 48;  // beside their products, copying x is nothing

/// y[o][p] = Σ w[o][c] · x[c][p], fma-accumulated from +0 over c in order; as many products as there are groups, one
/// after the other.
struct OneProduct {
  std::int64_t groups, channels, filters, places;  // channels and filters of one group

  std::int64_t blocks() const { return (filters + 3) / 4; }
  /// Shares are of filters, where there are many, or else of places.
  bool shares_filters() const { return groups * filters >= kManyFilters; }
  std::int64_t together() const { return std::min(kSummed, channels); }
  std::int64_t table_floats() const { return (2 * together() + 15) / 16 * 16; }  // offsets are 64-bit
  std::int64_t x_floats() const { return together() * kGroups * 16; }
  std::int64_t y_floats() const { return filters * kGroups * 16; }
};

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// One group's product: these filters of it at these places.
void multiply_one(const OneProduct& p, const Interval& filters, const Interval& all, const float* x,
                  const float* packed, const float* bias, const Relu& relu, float* y, float* scratch) {
  auto* const taps = reinterpret_cast<std::int64_t*>(scratch);
  float* const near = scratch + p.table_floats();
  float* const made = near + p.x_floats();
  for (std::int64_t first = all.begin; first < all.end; first += kGroups * kLanes) {
    const std::int64_t places = std::min(kGroups * kLanes, all.end - first);
    const std::int64_t groups = (places + kLanes - 1) / kLanes, row = groups * kLanes;
    for (std::int64_t c = 0; c < p.channels; c += kSummed) {
      const std::int64_t summed = std::min(kSummed, p.channels - c);
      const bool last = c + summed == p.channels;
      for (std::int64_t i = 0; i < summed; ++i) {
        taps[i] = i * row;
        std::copy_n(x + (c + i) * p.places + first, places, near + i * row);
        std::fill(near + i * row + places, near + (i + 1) * row, 0.0f);
      }
      run_row({.x = near,
               .taps = taps,
               .tap_count = summed,
               .x_step = kLanes,
               .w = packed + filters.begin * p.channels + c * kWeightBlock,
               .w_block = p.channels * kWeightBlock,
               .z = made,
               .z_plane = row,
               .z_step = kLanes,
               .accumulate = c > 0,
               .bias = last && bias ? bias + filters.begin : nullptr,
               .relu = last ? relu : Relu()},
              filters.size(), groups, groups);
    }
    for (std::int64_t f = 0; f < filters.size(); ++f) {
      std::copy_n(made + f * row, places, y + (filters.begin + f) * p.places + first);
    }
  }
}

void pointwise_one(const OneProduct& p, const float* x, const float* packed, const float* bias, const Relu& relu,
                   float* y, float* scratch, Share share) {
  const Interval places = p.shares_filters() ? Interval{0, p.places} : share.of(p.places, kGroups * kLanes);
  const Interval all{0, p.groups * p.blocks()}, blocks = p.shares_filters() ? share.of(all.end) : all;
  for (std::int64_t group = 0; group < p.groups; ++group) {
    const Interval some = blocks.among(group * p.blocks(), p.blocks());
    if (some.size() <= 0) continue;
    multiply_one(p, {some.begin * kWeightBlock, std::min(some.end * kWeightBlock, p.filters)}, places,
                 x + group * p.channels * p.places, packed + group * p.blocks() * p.channels * kWeightBlock,
                 bias ? bias + group * p.filters : nullptr, relu, y + group * p.filters * p.places, scratch);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(pointwise_one);
namespace {

class PointwiseOne : public ConvForwardOne {
 public:
  PointwiseOne(const ConvShape& s, const ConvEpilogue& e)
      : e_(e), product_{s.groups, s.channels / s.groups, s.filters / s.groups, s.out_h * s.out_w} {
    scratch = static_cast<std::size_t>(product_.table_floats() + product_.x_floats() + product_.y_floats());
    shares = worth_sharing(product_.channels * s.filters * product_.places / 16,
                           product_.shares_filters() ? s.filters / 4 : product_.places / (kGroups * 16));
  }
  void run(const float* x, const float* packed, const float* bias, float* y, float*, float* room,
           Share share) const override {
    CHALK_CHOSEN(pointwise_one)(product_, x, packed, e_.bias ? bias : nullptr, e_.relu, y, room, share);
  }

 private:
  ConvEpilogue e_;
  OneProduct product_;
};

}  // namespace

bool pointwise_one_fits(const ConvShape& s, const ConvEpilogue& e) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_h == 0 && s.pad_w == 0 &&
         e.pool_h == 1 && e.pool_w == 1;
}

std::unique_ptr<const ConvForwardOne> plan_pointwise_one(const ConvShape& s, const ConvEpilogue& e) {
  return std::make_unique<PointwiseOne>(s, e);
}

}  // namespace chalk
#endif
