// Every kernel is compared with plain loops twice: in double, within the bound of float summation, and in float with
// the order of additions that conv_direct.h documents, to the last bit, on every instruction set.
#include <gtest/gtest.h>

#include "src/kernels/conv_direct.h"
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>

#include "src/kernels/conv_case_testing.h"

namespace chalk {
namespace {

Case any_direct_case() {
  const ConvShape s = any_shape(26, 9, 17);
  return with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
}

// The float references: the documented order, one lane at a time.

std::vector<float> forward_in_order(const Case& k, const Guarded& x, const Guarded& w) {
  std::vector<float> z(k.z_size(), 0.0f);
  k.each_weight([&](auto o, auto c, auto a, auto b) {
    k.each_place([&](auto p, auto q) {
      const auto from = k.x_at(o, c, k.row(p, a), k.column(q, b)), to = k.z_at(o, p, q);
      for (std::int64_t n = 0; n < kLanes; ++n) {
        float& sum = z[static_cast<std::size_t>(to * kLanes + n)];
        sum = std::fma(w[k.w_at(o, c, a, b)], from < 0 ? 0.0f : x[from * kLanes + n], sum);
      }
    });
  });
  return z;
}

std::vector<float> input_grad_in_order(const Case& k, const Guarded& dz, const Guarded& w) {
  std::vector<float> dx(k.x_size(), 0.0f);
  for (std::int64_t p = 0; p < k.s.out_h; ++p) {
    for (std::int64_t b = 0; b < k.s.kernel_w; ++b) {
      for (std::int64_t o = 0; o < k.s.filters; ++o) {
        for (std::int64_t c = 0; c < k.group_channels(); ++c) {
          for (std::int64_t a = 0; a < k.s.kernel_h; ++a) {
            for (std::int64_t q = 0; q < k.s.out_w; ++q) {
              const auto to = k.x_at(o, c, k.row(p, a), k.column(q, b));
              for (std::int64_t n = 0; n < kLanes && to >= 0; ++n) {
                float& sum = dx[static_cast<std::size_t>(to * kLanes + n)];
                sum = std::fma(w[k.w_at(o, c, a, b)], dz[k.z_at(o, p, q) * kLanes + n], sum);
              }
            }
          }
        }
      }
    }
  }
  return dx;
}

std::vector<float> weight_grad_in_order(const Case& k, const Guarded& x, const Guarded& dz, int valid,
                                        std::span<const float> start) {
  std::vector<float> dw(start.begin(), start.end());
  const std::int64_t rows = std::clamp<std::int64_t>((96 + k.s.out_w - 1) / k.s.out_w, 1, k.s.out_h);
  const std::int64_t bands = (k.s.out_h + rows - 1) / rows;
  k.each_weight([&](auto o, auto c, auto a, auto b) {
    for (std::int64_t band = 0; band < bands; ++band) {
      float lanes[kLanes] = {};
      for (std::int64_t p = k.s.out_h * band / bands; p < k.s.out_h * (band + 1) / bands; ++p) {
        for (std::int64_t q = 0; q < k.s.out_w; ++q) {
          const auto from = k.x_at(o, c, k.row(p, a), k.column(q, b)), at = k.z_at(o, p, q);
          for (std::int64_t n = 0; n < valid; ++n) {
            lanes[n] = std::fma(dz[at * kLanes + n], from < 0 ? 0.0f : x[from * kLanes + n], lanes[n]);
          }
        }
      }
      dw[static_cast<std::size_t>(k.w_at(o, c, a, b))] += fold_tree(lanes);
    }
  });
  return dw;
}

void check_forward(const Case& k, const ConvEpilogue& e, const Guarded& x, const Guarded& w, const Guarded& bias) {
  std::vector<float> y, places;
  finish(k, e, forward_in_order(k, x, w), bias, y, places);
  on_every_target([&] {
    Guarded index(0);
    const bool pooled = e.pool_h * e.pool_w > 1;
    expect_same_bits(forward(kDirectConv, k, e, x, w, bias, pooled ? &index : nullptr).span(), y, "y");
    if (pooled) expect_same_bits(index.span(), places, "index");
  });
}

RC_GTEST_PROP(Conv, KernelsAgreeWithLoopsInDouble, ()) {
  const Case k = any_direct_case();
  expect_agreement_with_loops(kDirectConv, k);
}

RC_GTEST_PROP(Conv, ForwardAddsInOrderOnEveryTarget, ()) {
  const Case k = any_direct_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random);
  const Guarded bias(static_cast<std::size_t>(k.s.filters), random);
  const auto up_to = [](std::int64_t n) {
    return *rc::gen::inRange<std::int64_t>(1, std::min<std::int64_t>(n, 4) + 1);
  };
  const ConvEpilogue e = any_epilogue(up_to(k.s.out_h), up_to(k.s.out_w));
  check_forward(k, e, x, w, bias);
}

// More than a million floats are written past the caches, where a register is as long as a line.
TEST(Conv, ForwardAddsInOrderWhereTheResultIsLarge) {
  for (const std::int64_t kernel : {1, 2}) {
    const Case k = with_output({.channels = 3,
                                .height = 38,
                                .width = 57,
                                .filters = 34,
                                .kernel_h = kernel,
                                .kernel_w = 1,
                                .out_h = 0,
                                .out_w = 0},
                               5);
    ASSERT_GT(k.z_size(), std::size_t{1} << 20);
    std::mt19937 random(k.seed);
    const Guarded x(k.x_size(), random), w(k.w_size(), random);
    const Guarded bias(static_cast<std::size_t>(k.s.filters), random);
    check_forward(k, {.bias = true, .relu = Relu(true, 0.25F)}, x, w, bias);
  }
}

RC_GTEST_PROP(Conv, InputGradAddsInOrderOnEveryTarget, ()) {
  const Case k = any_direct_case();
  std::mt19937 random(k.seed);
  const Guarded dz(k.z_size(), random), w(k.w_size(), random);
  const std::vector<float> dx = input_grad_in_order(k, dz, w);
  on_every_target([&] { expect_same_bits(input_grad(kDirectConv, k, dz, w).span(), dx, "dx"); });
}

RC_GTEST_PROP(Conv, WeightGradFoldsValidLanesInOrderOnEveryTarget, ()) {
  const Case k = any_direct_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), start(k.w_size(), random);
  const int valid = *rc::gen::inRange(1, 17);
  for (const Guarded* values : {&x, &dz}) {  // a lane without a sample may hold anything
    for (std::size_t i = 0; i < values->span().size(); ++i) {
      if (static_cast<int>(i % 16) >= valid) values->span()[i] = NAN;
    }
  }
  const std::vector<float> nothing(k.w_size(), -0.0f);  // −0 + v is v for every v
  const std::vector<float> set = weight_grad_in_order(k, x, dz, valid, nothing);
  const std::vector<float> added = weight_grad_in_order(k, x, dz, valid, start.span());
  on_every_target([&] {
    const Guarded dw(k.w_size());
    weight_grad(kDirectConv, k, x, dz, dw, valid, false);
    expect_same_bits(dw.span(), set, "dw");
    std::copy(start.span().begin(), start.span().end(), dw.data());
    weight_grad(kDirectConv, k, x, dz, dw, valid, true);
    expect_same_bits(dw.span(), added, "dw");
  });
}

/// A 1 × 1 convolution of one channel with w = 1: y is the pooled x.
Case identity(std::int64_t height, std::int64_t width) {
  return with_output({.channels = 1,
                      .height = height,
                      .width = width,
                      .filters = 1,
                      .kernel_h = 1,
                      .kernel_w = 1,
                      .out_h = 0,
                      .out_w = 0},
                     0);
}

TEST(Conv, PoolingTakesTheFirstOfEqualMaxima) {
  const Case k = identity(2, 2);
  const Guarded x(k.x_size()), w(1), bias(1);
  w[0] = 1;
  for (std::int64_t n = 0; n < kLanes; ++n) {  // the lane's bits say which of the four places are the maximum
    for (std::int64_t i = 0; i < 4; ++i) x[i * kLanes + n] = n >> i & 1 ? 3.0f : 2.0f;
  }
  on_every_target([&] {
    Guarded index(0);
    const Guarded y = forward(kDirectConv, k, {.pool_h = 2, .pool_w = 2}, x, w, bias, &index);
    for (std::int64_t n = 0; n < kLanes; ++n) {
      EXPECT_EQ(y[n], n == 0 ? 2 : 3);
      EXPECT_EQ(index[n], n == 0 ? 0 : std::countr_zero(static_cast<unsigned>(n)));
    }
  });
}

TEST(Conv, ReluBeforePoolingMakesNegativeWindowsTieAtTheirFirstPlace) {
  const Case k = identity(2, 2);
  const Guarded x(k.x_size()), w(1), bias(1);
  w[0] = 1;
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t n = 0; n < kLanes; ++n) x[i * kLanes + n] = -1.0f / static_cast<float>(i + 1);
  }
  on_every_target([&] {
    Guarded index(0);
    const Guarded y = forward(kDirectConv, k, {.relu = true, .pool_h = 2, .pool_w = 2}, x, w, bias, &index);
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(index[0], 0);
  });
}

TEST(Conv, NanPassesReluAndWinsItsWindow) {
  for (const std::int64_t size : {2, 3}) {
    const Case k = identity(size, size);
    const Guarded x(k.x_size()), w(1), bias(1);
    w[0] = 1;
    bias[0] = 0.5f;
    std::mt19937 random(7);
    for (std::int64_t i = 0; i < size * size; ++i) {  // lane n: NaN from place n on, now and then
      for (std::int64_t n = 0; n < kLanes; ++n) {
        x[i * kLanes + n] = i >= n && (i == n || random() % 2) ? NAN : static_cast<float>(random() % 100) - 50;
      }
    }
    for (const bool relu : {false, true}) {
      check_forward(k, {.bias = true, .relu = relu, .pool_h = size, .pool_w = size}, x, w, bias);
      check_forward(k, {.bias = true, .relu = relu}, x, w, bias);
    }
    on_every_target([&] {
      Guarded index(0);
      const Guarded y = forward(kDirectConv, k, {.relu = true, .pool_h = size, .pool_w = size}, x, w, bias, &index);
      for (std::int64_t n = 0; n < size * size; ++n) {
        EXPECT_TRUE(std::isnan(y[n]));
        EXPECT_EQ(index[n], n);
      }
    });
  }
}

TEST(Conv, NanInOneLaneStaysThere) {
  const Case k = with_output({.channels = 3,
                              .height = 6,
                              .width = 7,
                              .filters = 5,
                              .kernel_h = 3,
                              .kernel_w = 3,
                              .out_h = 0,
                              .out_w = 0,
                              .pad_h = 1,
                              .pad_w = 1},
                             3);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random), bias(1);
  for (std::size_t i = 5; i < x.span().size(); i += 16) x.span()[i] = NAN;
  for (std::size_t i = 5; i < dz.span().size(); i += 16) dz.span()[i] = NAN;
  on_every_target([&] {
    const Guarded z = forward(kDirectConv, k, {}, x, w, bias), dx = input_grad(kDirectConv, k, dz, w);
    for (std::size_t i = 0; i < z.span().size(); ++i) EXPECT_EQ(std::isnan(z.span()[i]), i % 16 == 5);
    for (std::size_t i = 0; i < dx.span().size(); ++i) EXPECT_EQ(std::isnan(dx.span()[i]), i % 16 == 5);
  });
}

TEST(Conv, LanesFoldInATreeOfHalves) {
  const Case k = identity(1, 1);
  const Guarded x(kLanes), dz(kLanes), dw(1);
  // 2^24 + 1 = 2^24 in float, so the order shows: 1 meets 2^24 only in the last addition but one.
  for (std::int64_t n = 0; n < kLanes; ++n) {
    x[n] = 1;
    dz[n] = n == 0 ? 0x1p24f : n == 2 ? -0x1p24f : n % 4 == 1 ? 1.0f : 0.0f;
  }
  // Lane 1 holds 4 ones by then: (2^24 − 2^24) + 4.
  on_every_target([&] {
    weight_grad(kDirectConv, k, x, dz, dw, 16, false);
    EXPECT_EQ(dw[0], 4.0f);
  });
}

TEST(Conv, InputsThatNoOutputReadsGetZero) {
  const Case k = with_output({.channels = 1,
                              .height = 5,
                              .width = 5,
                              .filters = 2,
                              .kernel_h = 1,
                              .kernel_w = 1,
                              .out_h = 0,
                              .out_w = 0,
                              .stride_h = 3,
                              .stride_w = 2},
                             1);
  std::mt19937 random(k.seed);
  const Guarded dz(k.z_size(), random), w(k.w_size(), random);
  on_every_target([&] {
    const Guarded dx = input_grad(kDirectConv, k, dz, w);
    for (std::int64_t i = 0; i < 25; ++i) {
      EXPECT_EQ(dx[i * kLanes] != 0, i / 5 % 3 == 0 && i % 5 % 2 == 0) << i;
    }
  });
}

}  // namespace
}  // namespace chalk
