// The direct kernels are compared with plain loops (conv_test.cc). Depthwise kernels must give the same bits: all maps,
// every shape that fits, every instruction set; and for themselves what double gives.
#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include "src/kernels/conv_case_testing.h"
#include "src/kernels/conv_depthwise.h"

namespace chalk {
namespace {

constexpr ConvMaps kDepthwiseConv{plan_depthwise_forward, plan_depthwise_input_grad, plan_depthwise_weight_grad};

Case any_depthwise_case() {
  ConvShape s{};
  s.groups = s.channels = s.filters = pick(1, 3);
  s.kernel_h = *rc::gen::element(1, 2, 3, 5, 7, 8);
  s.kernel_w = *rc::gen::element(3, 5, 7);
  s.stride_h = pick(1, 2);
  s.stride_w = pick(1, 2);
  s.pad_h = pick(0, s.kernel_h - 1);
  s.pad_w = pick(0, s.kernel_w - 1);
  s.height = std::max<std::int64_t>(1, s.kernel_h - 2 * s.pad_h) + pick(0, 9);
  s.width = std::max<std::int64_t>(1, s.kernel_w - 2 * s.pad_w) + *rc::gen::element(pick(0, 9), pick(10, 60));
  return with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
}

RC_GTEST_PROP(Depthwise, AgreesWithLoopsInDouble, ()) {
  const Case k = any_depthwise_case();
  RC_ASSERT(depthwise_fits(k.s));
  expect_agreement_with_loops(kDepthwiseConv, k);
}

RC_GTEST_PROP(Depthwise, GivesTheBitsOfTheDirectKernelsOnEveryTarget, ()) {
  const Case k = any_depthwise_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random);
  const Guarded bias(static_cast<std::size_t>(k.s.filters), random), start(k.w_size(), random);
  const int valid = *rc::gen::inRange(1, 17);
  const bool accumulate = *rc::gen::arbitrary<bool>();
  const ConvEpilogue e = any_epilogue();
  const auto weights = [&](const ConvMaps& by) {
    Guarded dw(k.w_size());
    std::copy(start.span().begin(), start.span().end(), dw.data());
    weight_grad(by, k, x, dz, dw, valid, accumulate);
    return dw;
  };
  for (std::size_t i = static_cast<std::size_t>(valid); i % 16 != 0; ++i) x.span()[i] = NAN;  // may hold anything
  const Guarded z = forward(kDirectConv, k, e, x, w, bias), dx = input_grad(kDirectConv, k, dz, w);
  const Guarded dw = weights(kDirectConv);
  on_every_target([&] {
    expect_same_bits(forward(kDepthwiseConv, k, e, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(kDepthwiseConv, k, dz, w).span(), dx.span(), "dx");
    expect_same_bits(weights(kDepthwiseConv).span(), dw.span(), "dw");
  });
}

TEST(Depthwise, NanInOneLaneStaysThere) {
  const Case k = with_output({.channels = 2,
                              .height = 6,
                              .width = 18,
                              .filters = 2,
                              .kernel_h = 3,
                              .kernel_w = 3,
                              .out_h = 0,
                              .out_w = 0,
                              .pad_h = 1,
                              .pad_w = 1,
                              .groups = 2},
                             3);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), bias(1);
  for (std::size_t i = 5; i < x.span().size(); i += 16) x.span()[i] = NAN;
  const auto check = [](const Guarded& y) {
    for (std::size_t i = 0; i < y.span().size(); ++i) EXPECT_EQ(std::isnan(y.span()[i]), i % 16 == 5);
  };
  on_every_target([&] {
    check(forward(kDepthwiseConv, k, {}, x, w, bias));
    check(input_grad(kDepthwiseConv, k, x, w));
  });
}

TEST(Depthwise, FitsOneFilterForEachChannelAndTheWidthsItIsWrittenFor) {
  const ConvShape fits{.channels = 4,
                       .height = 8,
                       .width = 8,
                       .filters = 4,
                       .kernel_h = 3,
                       .kernel_w = 3,
                       .out_h = 8,
                       .out_w = 8,
                       .pad_h = 1,
                       .pad_w = 1,
                       .groups = 4};
  const auto with = [&](auto change) {
    ConvShape s = fits;
    change(s);
    return depthwise_fits(s);
  };
  EXPECT_TRUE(depthwise_fits(fits));
  EXPECT_FALSE(with([](ConvShape& s) { s.filters = 8; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.groups = 2; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.kernel_w = 4; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.kernel_h = 33; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.stride_w = 3; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.stride_h = 3; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.dilation_w = 2; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.dilation_h = 2; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.pad_w = 3; }));
  EXPECT_FALSE(with([](ConvShape& s) { s.pad_h = 3; }));
}

}  // namespace
}  // namespace chalk
