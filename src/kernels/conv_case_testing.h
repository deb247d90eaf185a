// Convolutions to test: where weights and places lie, and what becomes of z.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "src/kernels/conv_direct.h"
#include "src/kernels/conv_testing.h"
#include "src/kernels/conv_winograd.h"

namespace chalk {

constexpr std::int64_t kLanes = 16;

/// A convolution to test, and what its random operands are drawn from.
struct Case {
  ConvShape s;
  std::uint32_t seed = 0;

  /// Among how many threads its maps are divided: run(share, scratch) does a share, each with scratch of its own.
  template <class Run>
  void in_shares(std::size_t scratch, Run run) const {
    const int count = 1 + static_cast<int>(seed % 4);
    for (int i = 0; i < count; ++i) {
      const Guarded room(scratch);
      run(Share{.index = i, .count = count}, room.data());
      EXPECT_TRUE(room.intact());
    }
  }

  std::int64_t group_channels() const { return s.channels / s.groups; }
  std::int64_t group_filters() const { return s.filters / s.groups; }
  std::size_t x_size() const { return static_cast<std::size_t>(s.channels * s.height * s.width * kLanes); }
  std::size_t z_size() const { return static_cast<std::size_t>(s.filters * s.out_h * s.out_w * kLanes); }
  std::size_t w_size() const {
    return static_cast<std::size_t>(s.filters * group_channels() * s.kernel_h * s.kernel_w);
  }
  /// Places: −1 for a place in the padding.
  std::int64_t x_at(std::int64_t o, std::int64_t c, std::int64_t h, std::int64_t w) const {
    if (h < 0 || h >= s.height || w < 0 || w >= s.width) return -1;
    return ((o / group_filters() * group_channels() + c) * s.height + h) * s.width + w;
  }
  std::int64_t z_at(std::int64_t o, std::int64_t p, std::int64_t q) const { return (o * s.out_h + p) * s.out_w + q; }
  std::int64_t w_at(std::int64_t o, std::int64_t c, std::int64_t a, std::int64_t b) const {
    return ((o * group_channels() + c) * s.kernel_h + a) * s.kernel_w + b;
  }
  std::int64_t row(std::int64_t p, std::int64_t a) const { return p * s.stride_h + a * s.dilation_h - s.pad_h; }
  std::int64_t column(std::int64_t q, std::int64_t b) const { return q * s.stride_w + b * s.dilation_w - s.pad_w; }

  /// visit(o, c, a, b) for every weight in order.
  template <class Visit>
  void each_weight(Visit visit) const {
    for (std::int64_t o = 0; o < s.filters; ++o) {
      for (std::int64_t c = 0; c < group_channels(); ++c) {
        for (std::int64_t a = 0; a < s.kernel_h; ++a) {
          for (std::int64_t b = 0; b < s.kernel_w; ++b) visit(o, c, a, b);
        }
      }
    }
  }
  /// visit(p, q) for every place of z in order.
  template <class Visit>
  void each_place(Visit visit) const {
    for (std::int64_t p = 0; p < s.out_h; ++p) {
      for (std::int64_t q = 0; q < s.out_w; ++q) visit(p, q);
    }
  }
};

/// A random convolution of any kind, with room for its kernel.
inline ConvShape any_shape(std::int64_t most_filters, std::int64_t more_rows, std::int64_t more_columns) {
  ConvShape s{};
  s.groups = *rc::gen::element(1, 1, 1, 2, 5);
  s.channels = s.groups * pick(1, s.groups == 5 ? 1 : 9);
  s.filters = s.groups * pick(1, s.groups == 1 ? most_filters : 6);
  s.kernel_h = pick(1, 5);
  s.kernel_w = pick(1, 5);
  s.stride_h = pick(1, 3);
  s.stride_w = pick(1, 3);
  s.dilation_h = pick(1, 2);
  s.dilation_w = pick(1, 2);
  s.pad_h = pick(0, 3);
  s.pad_w = pick(0, 3);
  s.height = std::max<std::int64_t>(1, (s.kernel_h - 1) * s.dilation_h + 1 - 2 * s.pad_h) + pick(0, more_rows);
  s.width = std::max<std::int64_t>(1, (s.kernel_w - 1) * s.dilation_w + 1 - 2 * s.pad_w) + pick(0, more_columns);
  return s;
}

/// A random convolution that winograd_fits().
inline ConvShape any_winograd_shape(std::int64_t channels, std::int64_t filters, std::int64_t more_places) {
  ConvShape s{};
  s.channels = channels;
  s.filters = filters;
  s.kernel_h = s.kernel_w = *rc::gen::element(3, 5);
  s.stride_h = s.stride_w = s.kernel_h == 3 ? *rc::gen::element(1, 2) : 1;
  s.pad_h = pick(0, s.kernel_h - 1);
  s.pad_w = pick(0, s.kernel_w - 1);
  s.height = std::max<std::int64_t>(1, s.kernel_h - 2 * s.pad_h) + pick(0, more_places);
  s.width = std::max<std::int64_t>(1, s.kernel_w - 2 * s.pad_w) + pick(0, more_places);
  return s;
}

inline Case with_output(ConvShape s, std::uint32_t seed) {
  s.out_h = (s.height + 2 * s.pad_h - (s.kernel_h - 1) * s.dilation_h - 1) / s.stride_h + 1;
  s.out_w = (s.width + 2 * s.pad_w - (s.kernel_w - 1) * s.dilation_w - 1) / s.stride_w + 1;
  return {s, seed};
}

/// The maps by one algorithm.
struct ConvMaps {
  decltype(&plan_direct_forward) forward;
  decltype(&plan_direct_input_grad) input_grad;
  decltype(&plan_direct_weight_grad) weight_grad;
};
constexpr ConvMaps kDirectConv{plan_direct_forward, plan_direct_input_grad, plan_direct_weight_grad};
constexpr ConvMaps kWinogradConv{plan_winograd_forward, plan_winograd_input_grad, plan_winograd_weight_grad};

// With room of their own that nobody may write beyond.

inline Guarded forward(const ConvMaps& by, const Case& k, const ConvEpilogue& e, const Guarded& x, const Guarded& w,
                       const Guarded& bias, Guarded* index = nullptr) {
  const auto map = by.forward(k.s, e);
  const Guarded packed(map->packed);
  Guarded y(static_cast<std::size_t>(k.s.filters * (k.s.out_h / e.pool_h) * (k.s.out_w / e.pool_w) * kLanes));
  if (index) *index = Guarded(y.span().size());
  k.in_shares(0, [&](Share share, float*) { map->pack(w.data(), packed.data(), share); });
  k.in_shares(map->scratch, [&](Share share, float* scratch) {
    map->run(x.data(), packed.data(), e.bias ? bias.data() : nullptr, y.data(), index ? index->data() : nullptr,
             scratch, share);
  });
  EXPECT_TRUE(packed.intact() && y.intact() && (!index || index->intact()));
  return y;
}

inline Guarded input_grad(const ConvMaps& by, const Case& k, const Guarded& dz, const Guarded& w) {
  const auto map = by.input_grad(k.s);
  const Guarded packed(map->packed);
  Guarded dx(k.x_size());
  k.in_shares(0, [&](Share share, float*) { map->pack(w.data(), packed.data(), share); });
  k.in_shares(map->scratch,
              [&](Share share, float* scratch) { map->run(dz.data(), packed.data(), dx.data(), scratch, share); });
  EXPECT_TRUE(packed.intact() && dx.intact());
  return dx;
}

inline void weight_grad(const ConvMaps& by, const Case& k, const Guarded& x, const Guarded& dz, const Guarded& dw,
                        int valid, bool accumulate) {
  const auto map = by.weight_grad(k.s);
  k.in_shares(map->scratch, [&](Share share, float* scratch) {
    map->run(x.data(), dz.data(), dw.data(), valid, accumulate, scratch, share);
  });
  EXPECT_TRUE(dw.intact());
}

/// Each of the maps gives what plain loops in double give.
inline void expect_agreement_with_loops(const ConvMaps& by, const Case& k) {
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  std::vector<Sum> z(k.z_size()), dx(k.x_size()), dw(k.w_size());
  k.each_weight([&](auto o, auto c, auto a, auto b) {
    const auto at_w = k.w_at(o, c, a, b);
    k.each_place([&](auto p, auto q) {
      const auto at_x = k.x_at(o, c, k.row(p, a), k.column(q, b)) * kLanes, at_z = k.z_at(o, p, q) * kLanes;
      for (std::int64_t n = 0; n < kLanes && at_x >= 0; ++n) {
        const double xn = x[at_x + n], dzn = dz[at_z + n], wn = w[at_w];
        z[static_cast<std::size_t>(at_z + n)].add(wn * xn);
        dx[static_cast<std::size_t>(at_x + n)].add(wn * dzn);
        dw[static_cast<std::size_t>(at_w)].add(dzn * xn);
      }
    });
  });
  expect_close(forward(by, k, {}, x, w, bias).span(), z, "z");
  expect_close(input_grad(by, k, dz, w).span(), dx, "dx");
  const Guarded sums(k.w_size());
  weight_grad(by, k, x, dz, sums, 16, false);
  expect_close(sums.span(), dw, "dw");
}

/// Any; relu may have a limit where there is no pooling.
inline ConvEpilogue any_epilogue(std::int64_t pool_h = 1, std::int64_t pool_w = 1) {
  constexpr float kNone = std::numeric_limits<float>::infinity();
  const float most = pool_h * pool_w > 1 ? kNone : *rc::gen::element(kNone, 0.25f);
  const bool relu = *rc::gen::arbitrary<bool>();
  return {.bias = *rc::gen::arbitrary<bool>(),
          .relu = relu ? Relu(true, most) : Relu(),
          .pool_h = pool_h,
          .pool_w = pool_w};
}

/// From z to y and index, place by place.
inline void finish(const Case& k, const ConvEpilogue& e, std::vector<float> z, const Guarded& bias,
                   std::vector<float>& y, std::vector<float>& index) {
  y.clear();
  index.clear();
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (e.bias) z[i] += bias[static_cast<std::int64_t>(i) / (k.s.out_h * k.s.out_w * kLanes)];
    if (e.relu && z[i] < 0) z[i] = 0;
    if (e.relu && z[i] > e.relu.most) z[i] = e.relu.most;
  }
  for (std::int64_t o = 0; o < k.s.filters; ++o) {
    for (std::int64_t p = 0; p < k.s.out_h / e.pool_h; ++p) {
      for (std::int64_t q = 0; q < k.s.out_w / e.pool_w; ++q) {
        for (std::int64_t n = 0; n < kLanes; ++n) {
          float best = -std::numeric_limits<float>::infinity();
          std::int64_t place = 0;
          bool first = true;
          for (std::int64_t i = 0; i < e.pool_h * e.pool_w; ++i) {
            const auto at = k.z_at(o, p * e.pool_h + i / e.pool_w, q * e.pool_w + i % e.pool_w);
            const float value = z[static_cast<std::size_t>(at * kLanes + n)];
            if (first || value > best || (std::isnan(value) && !std::isnan(best))) {
              best = value;
              place = i;
            }
            first = false;
          }
          y.push_back(best);
          index.push_back(static_cast<float>(place));
        }
      }
    }
  }
}

}  // namespace chalk
