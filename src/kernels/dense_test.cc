#include "src/kernels/dense.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "src/kernels/conv_testing.h"
#include "src/kernels/fold.h"

namespace chalk {
namespace {

constexpr std::int64_t kLanes = 16;

struct Sizes {
  std::int64_t outputs, inputs, microbatches, gap;
  std::uint32_t seed;
  std::int64_t x_step() const { return inputs * kLanes + gap; }
  std::int64_t y_step() const { return outputs * kLanes + gap; }
  std::int64_t xt_step() const { return static_cast<std::int64_t>(dense_transposed(inputs)); }
  Microbatches all() const { return {microbatches, x_step(), y_step()}; }
  DenseBatch grad(int valid, int slots) const {
    return {outputs, inputs, {microbatches, xt_step(), y_step()}, valid, slots};
  }
  std::size_t x() const { return static_cast<std::size_t>(x_step() * microbatches); }
  std::size_t y() const { return static_cast<std::size_t>(y_step() * microbatches); }
  std::size_t w() const { return static_cast<std::size_t>(outputs * inputs); }
};
Sizes any_sizes() {
  return {pick(1, 60), pick(1, 300), pick(1, 6), pick(0, 2) * kLanes, static_cast<std::uint32_t>(pick(0, 1 << 30))};
}

Guarded forward(const Sizes& k, const Guarded& x, const Guarded& w, const float* bias, bool relu) {
  Guarded y(k.y());
  dense_forward(k.outputs, k.inputs, k.all(), x.data(), w.data(), bias, relu, y.data());
  EXPECT_TRUE(y.intact());
  return y;
}

Guarded input_grad(const Sizes& k, const Guarded& dy, const Guarded& w) {
  Guarded dx(k.x());
  dense_input_grad(k.outputs, k.inputs, k.inputs, k.all(), dy.data(), w.data(), dx.data());
  EXPECT_TRUE(dx.intact());
  return dx;
}

/// x as rows of samples.
Guarded transposed(const Sizes& k, const Guarded& x) {
  Guarded xt(static_cast<std::size_t>(k.xt_step() * k.microbatches));
  for (std::int64_t m = 0; m < k.microbatches; ++m)
    dense_transpose(k.inputs, x.data() + m * k.x_step(), xt.data() + m * k.xt_step());
  return xt;
}

Guarded weight_grad(const Sizes& k, const Guarded& x, const Guarded& dy, int valid, int slots) {
  const Guarded xt = transposed(k, x);
  Guarded dw(k.w());
  dense_weight_grad(k.grad(valid, slots), xt.data(), dy.data(), dw.data());
  EXPECT_TRUE(dw.intact() && xt.intact());
  return dw;
}

/// Nothing is written between the microbatches.
std::vector<float> expected_forward(const Sizes& k, const Guarded& x, const Guarded& w, const float* bias, bool relu) {
  std::vector<float> y(k.y(), NAN);
  for (std::int64_t m = 0; m < k.microbatches; ++m) {
    for (std::int64_t o = 0; o < k.outputs * kLanes; ++o) {
      float sum = 0;
      for (std::int64_t i = 0; i < k.inputs; ++i) {
        sum = std::fma(w[o / kLanes * k.inputs + i], x[m * k.x_step() + i * kLanes + o % kLanes], sum);
      }
      if (bias) sum += bias[o / kLanes];
      y[static_cast<std::size_t>(m * k.y_step() + o)] = relu && sum < 0 ? 0 : sum;
    }
  }
  return y;
}

RC_GTEST_PROP(Dense, KernelsAgreeWithLoopsInDouble, ()) {
  Sizes k = any_sizes();
  k.gap = 0;
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random), w(k.w(), random);
  std::vector<Sum> y(k.y()), dx(k.x()), dw(k.w());
  for (std::int64_t m = 0; m < k.microbatches; ++m) {
    for (std::int64_t o = 0; o < k.outputs; ++o) {
      for (std::int64_t i = 0; i < k.inputs; ++i) {
        const double wn = w[o * k.inputs + i];
        for (std::int64_t n = 0; n < kLanes; ++n) {
          const auto at_x = m * k.x_step() + i * kLanes + n, at_y = m * k.y_step() + o * kLanes + n;
          const double xn = x[at_x], dyn = dy[at_y];
          y[static_cast<std::size_t>(at_y)].add(wn * xn);
          dx[static_cast<std::size_t>(at_x)].add(wn * dyn);
          dw[static_cast<std::size_t>(o * k.inputs + i)].add(xn * dyn);
        }
      }
    }
  }
  expect_close(forward(k, x, w, nullptr, false).span(), y, "y");
  expect_close(input_grad(k, dy, w).span(), dx, "dx");
  expect_close(weight_grad(k, x, dy, 16, static_cast<int>(pick(1, k.microbatches))).span(), dw, "dw");
}

RC_GTEST_PROP(Dense, ForwardAddsInOrderOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), w(k.w(), random), bias(static_cast<std::size_t>(k.outputs), random);
  x[*rc::gen::inRange<std::int64_t>(0, k.inputs) * kLanes + 3] = NAN;
  const bool relu = *rc::gen::arbitrary<bool>();
  const float* const biases = *rc::gen::arbitrary<bool>() ? bias.data() : nullptr;
  const auto y = expected_forward(k, x, w, biases, relu);
  on_every_target([&] { expect_same_bits(forward(k, x, w, biases, relu).span(), y, "y"); });
}

RC_GTEST_PROP(Dense, SomeOutputsAndInputsAreMadeByThemselves, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random), w(k.w(), random);
  const Guarded y = forward(k, x, w, nullptr, true), dx = input_grad(k, dy, w);
  const auto o = pick(0, k.outputs), i = pick(0, k.inputs);  // where the second part begins
  on_every_target([&] {
    const Guarded y2(k.y()), dx2(k.x());
    dense_forward(o, k.inputs, k.all(), x.data(), w.data(), nullptr, true, y2.data());
    dense_forward(k.outputs - o, k.inputs, k.all(), x.data(), w.data() + o * k.inputs, nullptr, true,
                  y2.data() + o * kLanes);
    dense_input_grad(k.outputs, k.inputs, i, k.all(), dy.data(), w.data(), dx2.data());
    dense_input_grad(k.outputs, k.inputs, k.inputs - i, k.all(), dy.data(), w.data() + i, dx2.data() + i * kLanes);
    expect_same_bits(y2.span(), y.span(), "y");
    expect_same_bits(dx2.span(), dx.span(), "dx");
  });
}

RC_GTEST_PROP(Dense, InputGradAddsInOrderOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded dy(k.y(), random), w(k.w(), random);
  std::vector<float> dx(k.x(), NAN);
  for (std::int64_t m = 0; m < k.microbatches; ++m) {
    std::fill_n(dx.data() + m * k.x_step(), k.inputs * kLanes, 0.0f);
    for (std::int64_t o = 0; o < k.outputs; ++o) {
      for (std::int64_t i = 0; i < k.inputs * kLanes; ++i) {
        float& sum = dx[static_cast<std::size_t>(m * k.x_step() + i)];
        sum = std::fma(w[o * k.inputs + i / kLanes], dy[m * k.y_step() + o * kLanes + i % kLanes], sum);
      }
    }
  }
  on_every_target([&] { expect_same_bits(input_grad(k, dy, w).span(), dx, "dx"); });
}

RC_GTEST_PROP(Dense, WeightGradAddsSamplesInOrderThenSlotsOnEveryTarget, ()) {
  Sizes k = any_sizes();
  k.microbatches = pick(1, 36);
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random);
  const int valid = *rc::gen::inRange(1, 17);
  const auto slots = static_cast<int>(pick(1, std::min<std::int64_t>(kMaxSlots, k.microbatches)));
  for (std::int64_t n = valid; n < kLanes; ++n) {  // a lane without a sample may hold anything
    for (std::int64_t i = 0; i < k.inputs; ++i) x[(k.microbatches - 1) * k.x_step() + i * kLanes + n] = NAN;
    for (std::int64_t o = 0; o < k.outputs; ++o) dy[(k.microbatches - 1) * k.y_step() + o * kLanes + n] = NAN;
  }
  const std::size_t stride = AlignedFloats::round(k.w());
  const AlignedFloats sums(stride * static_cast<std::size_t>(slots)), dw(k.w());
  for (std::int64_t m = 0; m < k.microbatches; ++m) {
    float* slot = sums.data() + static_cast<std::size_t>(m % slots) * stride;
    for (std::int64_t i = 0; i < k.outputs * k.inputs; ++i) {
      for (std::int64_t n = 0; n < (m + 1 < k.microbatches ? kLanes : valid); ++n) {
        slot[i] = std::fma(dy[m * k.y_step() + i / k.inputs * kLanes + n],
                           x[m * k.x_step() + i % k.inputs * kLanes + n], slot[i]);
      }
    }
  }
  fold_slots(sums.data(), stride, slots, 0, k.w(), dw.data());
  on_every_target([&] { expect_same_bits(weight_grad(k, x, dy, valid, slots).span(), {dw.data(), k.w()}, "dw"); });
}

/// As SgdStep says, for one weight.
void sgd_step(float g, float rate, const SgdStep& s, float& w, float& m) {
  const float sign = s.ascends ? -1.0f : 1.0f;
  if (s.decay) g = g + sign * (*s.decay * w);
  float direction = g;
  if (s.momentum) {
    m = *s.momentum * m + g;
    direction = s.nesterov ? g + *s.momentum * m : m;
  }
  w = w - sign * (rate * direction);
}

RC_GTEST_PROP(Dense, WeightStepIsThatOfTheStoredGradientOnEveryTarget, ()) {
  const Sizes k = any_sizes();
  std::mt19937 random(k.seed);
  const Guarded x(k.x(), random), dy(k.y(), random), w(k.w(), random), m(k.w(), random);
  const float rate = 0.3f, decay = 0.02f, momentum = 0.9f;
  SgdStep step{.rate = &rate, .ascends = *rc::gen::arbitrary<bool>(), .w = w.data(), .w_next = nullptr};
  if (*rc::gen::arbitrary<bool>()) step.decay = &decay;
  if (*rc::gen::arbitrary<bool>()) step.momentum = &momentum;
  step.nesterov = step.momentum && *rc::gen::arbitrary<bool>();
  const bool in_place = *rc::gen::arbitrary<bool>();
  const int valid = *rc::gen::inRange(1, 17), slots = static_cast<int>(pick(1, k.microbatches));
  const Guarded dw = weight_grad(k, x, dy, valid, slots);
  std::vector<float> w_expected(w.span().begin(), w.span().end()), m_expected(m.span().begin(), m.span().end());
  for (std::size_t i = 0; i < k.w(); ++i) sgd_step(dw.data()[i], rate, step, w_expected[i], m_expected[i]);

  const Guarded xt = transposed(k, x);
  on_every_target([&] {
    Guarded w_next(k.w()), m_next(k.w()), w_now(k.w()), m_now(k.w());
    std::copy_n(w.data(), k.w(), w_now.data());
    std::copy_n(m.data(), k.w(), m_now.data());
    step.w = w_now.data();
    step.m = m_now.data();
    step.w_next = in_place ? w_now.data() : w_next.data();
    step.m_next = in_place ? m_now.data() : m_next.data();
    dense_weight_step(k.grad(valid, slots), xt.data(), dy.data(), step);
    expect_same_bits({step.w_next, k.w()}, w_expected, "w");
    if (step.momentum) expect_same_bits({step.m_next, k.w()}, m_expected, "m");
    EXPECT_TRUE(w_next.intact() && m_next.intact() && w_now.intact() && m_now.intact());
  });
}

TEST(Dense, NanPassesRelu) {
  const Sizes k{1, 1, 1, 0, 0};
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
