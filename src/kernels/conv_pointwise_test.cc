// The direct kernels are compared with plain loops (conv_test.cc). The pointwise forward map and input gradient must
// give the same bits, the weight gradient those of its own order, on every instruction set; and all what double gives.
#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include "src/kernels/conv_case_testing.h"
#include "src/kernels/conv_pointwise.h"

namespace chalk {
namespace {

constexpr ConvMaps kPointwiseConv{plan_pointwise_forward, plan_pointwise_input_grad, plan_pointwise_weight_grad};

Case any_pointwise_case() {
  ConvShape s{};
  s.channels = *rc::gen::element(pick(4, 20), pick(40, 150));
  s.filters = *rc::gen::element(pick(4, 20), pick(4, 70));
  s.kernel_h = s.kernel_w = 1;
  s.height = pick(1, 12);
  s.width = pick(1, *rc::gen::element(9, 40));
  return with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
}

RC_GTEST_PROP(Pointwise, AgreesWithLoopsInDouble, ()) {
  const Case k = any_pointwise_case();
  RC_ASSERT(pointwise_fits(k.s));
  expect_agreement_with_loops(kPointwiseConv, k);
}

RC_GTEST_PROP(Pointwise, GivesTheBitsOfTheDirectKernelsOnEveryTarget, ()) {
  const Case k = any_pointwise_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), w(k.w_size(), random);
  const Guarded bias(static_cast<std::size_t>(k.s.filters), random);
  const ConvEpilogue e = any_epilogue();
  const Guarded z = forward(kDirectConv, k, e, x, w, bias), dx = input_grad(kDirectConv, k, dz, w);
  on_every_target([&] {
    expect_same_bits(forward(kPointwiseConv, k, e, x, w, bias).span(), z.span(), "z");
    expect_same_bits(input_grad(kPointwiseConv, k, dz, w).span(), dx.span(), "dx");
  });
}

// More than a million floats are written past the caches, where a register is as long as a line.
TEST(Pointwise, GivesTheBitsOfTheDirectKernelsWhereTheResultIsLarge) {
  const Case k = with_output(
      {.channels = 3, .height = 38, .width = 57, .filters = 34, .kernel_h = 1, .kernel_w = 1, .out_h = 0, .out_w = 0},
      5);
  ASSERT_GT(k.z_size(), std::size_t{1} << 20);
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), bias(static_cast<std::size_t>(k.s.filters), random);
  const ConvEpilogue e{.bias = true, .relu = Relu(true, 0.25F)};
  const Guarded z = forward(kDirectConv, k, e, x, w, bias);
  on_every_target([&] { expect_same_bits(forward(kPointwiseConv, k, e, x, w, bias).span(), z.span(), "z"); });
}

RC_GTEST_PROP(Pointwise, WeightGradAddsInOrderOnEveryTarget, ()) {
  const Case k = any_pointwise_case();
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), dz(k.z_size(), random), start(k.w_size(), random);
  const int valid = *rc::gen::inRange(1, 17);
  const bool accumulate = *rc::gen::arbitrary<bool>();
  for (const Guarded* values : {&x, &dz}) {  // a lane without a sample may hold anything
    for (std::size_t i = 0; i < values->span().size(); ++i) {
      if (static_cast<int>(i % 16) >= valid) values->span()[i] = NAN;
    }
  }
  std::vector<float> expected;
  k.each_weight([&](auto o, auto c, auto, auto) {
    const std::int64_t places = k.s.out_h * k.s.out_w;
    float total = 0;
    for (std::int64_t band = 0; band < places; band += 32) {
      float sum = 0;
      for (std::int64_t i = band; i < std::min(band + 32, places); ++i) {
        for (std::int64_t n = 0; n < valid; ++n)
          sum = std::fma(dz[(o * places + i) * kLanes + n], x[(c * places + i) * kLanes + n], sum);
      }
      total = band == 0 ? sum : total + sum;
    }
    expected.push_back(accumulate ? start.span()[expected.size()] + total : total);
  });
  on_every_target([&] {
    const Guarded dw(k.w_size());
    std::copy(start.span().begin(), start.span().end(), dw.data());
    weight_grad(kPointwiseConv, k, x, dz, dw, valid, accumulate);
    expect_same_bits(dw.span(), expected, "dw");
  });
}

TEST(Pointwise, FitsOneGroupOfSinglePlacesAndPaysForManyChannels) {
  const ConvShape fits{
      .channels = 16, .height = 4, .width = 4, .filters = 16, .kernel_h = 1, .kernel_w = 1, .out_h = 4, .out_w = 4};
  const auto with = [&](auto change) {
    ConvShape s = fits;
    change(s);
    return s;
  };
  EXPECT_TRUE(pointwise_fits(fits) && pointwise_forward_pays(fits) && pointwise_input_grad_pays(fits));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.groups = 2; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.channels = 3; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.filters = 3; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.kernel_h = 3; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.kernel_w = 3; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.stride_h = 2; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.stride_w = 2; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.pad_h = 1; })));
  EXPECT_FALSE(pointwise_fits(with([](ConvShape& s) { s.pad_w = 1; })));
  EXPECT_FALSE(pointwise_input_grad_pays(with([](ConvShape& s) { s.channels = 3; })));
  EXPECT_FALSE(pointwise_input_grad_pays(with([](ConvShape& s) { s.filters = 8; })));
  EXPECT_FALSE(pointwise_input_grad_pays(with([](ConvShape& s) { s.out_w = 3; })));
  EXPECT_FALSE(pointwise_forward_pays(with([](ConvShape& s) { s.channels = 96; })));
  EXPECT_TRUE(pointwise_input_grad_pays(with([](ConvShape& s) { s.channels = 96; })));
  EXPECT_FALSE(pointwise_weight_grad_pays(fits));
  EXPECT_TRUE(pointwise_weight_grad_pays(with([](ConvShape& s) { s.channels = 96; })));
  EXPECT_FALSE(pointwise_weight_grad_pays(with([](ConvShape& s) { s.filters = 100, s.channels = 17; })));
}

}  // namespace
}  // namespace chalk
