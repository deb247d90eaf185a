#include "src/kernels/dense.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "src/kernels/conv_testing.h"

namespace chalk {
namespace {

constexpr std::int64_t kLanes = 16;

struct Sizes {
  std::int64_t outputs, inputs;
  std::uint32_t seed;
  std::size_t x() const { return static_cast<std::size_t>(inputs * kLanes); }
  std::size_t y() const { return static_cast<std::size_t>(outputs * kLanes); }
  std::size_t w() const { return static_cast<std::size_t>(outputs * inputs); }
};
Sizes any_sizes() { return {pick(1, 60), pick(1, 150), static_cast<std::uint32_t>(pick(0, 1 << 30))}; }

Guarded forward(const Sizes& k, const Guarded& x, const Guarded& w, const float* bias, bool relu) {
  Guarded y(k.y());
  dense_forward(k.outputs, k.inputs, x.data(), w.data(), bias, relu, y.data());
  EXPECT_TRUE(y.intact());
  return y;
}

Guarded input_grad(const Sizes& k, const Guarded& dy, const Guarded& w) {
  Guarded dx(k.x());
  dense_input_grad(k.outputs, k.inputs, dy.data(), w.data(), dx.data());
  EXPECT_TRUE(dx.intact());
  return dx;
}

void weight_grad(const Sizes& k, const Guarded& x, const Guarded& dy, const Guarded& dw, int valid, bool accumulate) {
  Guarded scratch(dense_weight_grad_scratch(k.outputs, k.inputs));
  dense_weight_grad(k.outputs, k.inputs, x.data(), dy.data(), dw.data(), valid, accumulate, scratch.data());
  EXPECT_TRUE(scratch.intact() && dw.intact());
}

RC_GTEST_PROP(Dense, KernelsAgreeWithLoopsInDouble, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random), w(k.w(), random), sums(k.w());
  std::vector<Sum> y(k.y()), dx(k.x()), dw(k.w());
  for (std::int64_t o = 0; o < k.outputs; ++o) {
    for (std::int64_t i = 0; i < k.inputs; ++i) {
      const double wn = w[o * k.inputs + i];
      for (std::int64_t n = 0; n < kLanes; ++n) {
        const double xn = x[i * kLanes + n], dyn = dy[o * kLanes + n];
        y[static_cast<std::size_t>(o * kLanes + n)].add(wn * xn);
        dx[static_cast<std::size_t>(i * kLanes + n)].add(wn * dyn);
        dw[static_cast<std::size_t>(o * k.inputs + i)].add(xn * dyn);
      }
    }
  }
  expect_close(forward(k, x, w, nullptr, false).span(), y, "y");
  expect_close(input_grad(k, dy, w).span(), dx, "dx");
  weight_grad(k, x, dy, sums, 16, false);
  expect_close(sums.span(), dw, "dw");
}

RC_GTEST_PROP(Dense, ForwardAddsInOrderOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), w(k.w(), random), bias(static_cast<std::size_t>(k.outputs), random);
  x[*rc::gen::inRange<std::int64_t>(0, k.inputs) * kLanes + 3] = NAN;
  const bool with_bias = *rc::gen::arbitrary<bool>(), relu = *rc::gen::arbitrary<bool>();
  std::vector<float> y;
  for (std::int64_t o = 0; o < k.outputs; ++o) {
    for (std::int64_t n = 0; n < kLanes; ++n) {
      float sum = 0;
      for (std::int64_t i = 0; i < k.inputs; ++i) sum = std::fma(w[o * k.inputs + i], x[i * kLanes + n], sum);
      if (with_bias) sum += bias[o];
      y.push_back(relu && sum < 0 ? 0 : sum);
    }
  }
  on_every_target([&] { expect_same_bits(forward(k, x, w, with_bias ? bias.data() : nullptr, relu).span(), y, "y"); });
}

RC_GTEST_PROP(Dense, InputGradAddsInOrderOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded dy(k.y(), random), w(k.w(), random);
  std::vector<float> dx(k.x(), 0.0f);
  for (std::int64_t o = 0; o < k.outputs; ++o) {
    for (std::size_t i = 0; i < k.x(); ++i) {
      const auto n = static_cast<std::int64_t>(i);
      dx[i] = std::fma(w[o * k.inputs + n / kLanes], dy[o * kLanes + n % kLanes], dx[i]);
    }
  }
  on_every_target([&] { expect_same_bits(input_grad(k, dy, w).span(), dx, "dx"); });
}

RC_GTEST_PROP(Dense, WeightGradAddsValidLanesInOrderOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random), start(k.w(), random);
  const int valid = *rc::gen::inRange(1, 17);
  for (const Guarded* values : {&x, &dy}) {  // a lane without a sample may hold anything
    for (std::size_t i = 0; i < values->span().size(); ++i) {
      if (static_cast<int>(i % 16) >= valid) values->span()[i] = NAN;
    }
  }
  for (const bool accumulate : {false, true}) {
    std::vector<float> expected(k.w(), 0.0f);
    if (accumulate) std::copy(start.span().begin(), start.span().end(), expected.begin());
    for (std::int64_t i = 0; i < k.outputs * k.inputs; ++i) {
      float& sum = expected[static_cast<std::size_t>(i)];
      for (std::int64_t n = 0; n < valid; ++n) {
        sum = std::fma(dy[i / k.inputs * kLanes + n], x[i % k.inputs * kLanes + n], sum);
      }
    }
    on_every_target([&] {
      const Guarded dw(k.w());
      if (accumulate) std::copy(start.span().begin(), start.span().end(), dw.data());
      weight_grad(k, x, dy, dw, valid, accumulate);
      expect_same_bits(dw.span(), expected, "dw");
    });
  }
}

TEST(Dense, NanPassesRelu) {
  const Sizes k{1, 1, 0};
  const Guarded x(16), w(1);
  w[0] = 1;
  for (std::int64_t n = 0; n < kLanes; ++n) x[n] = n == 3 ? NAN : n == 4 ? -2.0f : 2.0f;
  on_every_target([&] {
    const Guarded y = forward(k, x, w, nullptr, true);
    for (std::int64_t n = 0; n < kLanes; ++n) {
      EXPECT_EQ(std::isnan(y[n]), n == 3);
      if (n != 3) {
        EXPECT_EQ(y[n], n == 4 ? 0.0f : 2.0f);
      }
    }
  });
}

}  // namespace
}  // namespace chalk
