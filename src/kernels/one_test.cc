// The kernels of one sample give each sample the bits that the kernels on lanes give it.
#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "src/kernels/conv_case_testing.h"
#include "src/kernels/conv_depthwise.h"
#include "src/kernels/conv_one.h"
#include "src/kernels/dense.h"
#include "src/kernels/dense_one.h"
#include "src/kernels/transfer.h"

namespace chalk {
namespace {

/// One lane of sixteen samples.
Guarded lane_of(std::span<const float> lanes, std::int64_t lane) {
  Guarded one(lanes.size() / kLanes);
  for (std::size_t i = 0; i < one.span().size(); ++i)
    one.span()[i] = lanes[i * kLanes + static_cast<std::size_t>(lane)];
  return one;
}

/// Now and then a number that is none, or −0.
void spoil(const Guarded& values) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (*rc::gen::arbitrary<bool>()) return;
  for (int i = 0; i < 4; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, values.span().size());
    values.span()[at] = *rc::gen::element(NAN, kInfinity, -kInfinity, -0.0f, 0.0f);
  }
}

ConvEpilogue epilogue_for(const ConvShape& s) {
  const auto window = [](std::int64_t n) { return std::min<std::int64_t>(n, *rc::gen::element(1, 1, 2, 2, 3, 4)); };
  return any_epilogue(window(s.out_h), window(s.out_w));
}

void expect_the_bits_of_a_lane(const ConvMaps& by, const Case& k, const ConvEpilogue& e) {
  std::mt19937 random(k.seed);
  const Guarded x(k.x_size(), random), w(k.w_size(), random), bias(static_cast<std::size_t>(k.s.filters), random);
  spoil(x);
  spoil(w);
  spoil(bias);
  const auto places = static_cast<std::size_t>(k.s.filters * (k.s.out_h / e.pool_h) * (k.s.out_w / e.pool_w));
  const bool pooled = e.pool_h * e.pool_w > 1;
  const auto map = by.forward(k.s, e);
  const Guarded packed(map->packed), scratch(map->scratch);
  const Guarded y(places * kLanes), index(places * kLanes);
  const float* const biases = e.bias ? bias.data() : nullptr;
  map->pack(w.data(), packed.data(), Share());
  map->run(x.data(), packed.data(), biases, y.data(), pooled ? index.data() : nullptr, scratch.data(), Share());
  const std::int64_t lane = pick(0, kLanes - 1);
  const Guarded one = lane_of(x.span(), lane);
  on_every_target([&] {
    const Guarded y1(places), index1(places);
    k.in_shares(map->scratch_one, [&](Share share, float* room) {
      map->run_one(one.data(), packed.data(), biases, y1.data(), pooled ? index1.data() : nullptr, room, share);
    });
    RC_ASSERT(y1.intact() && index1.intact());
    expect_same_bits(y1.span(), lane_of(y.span(), lane).span(), "y");
    if (pooled) expect_same_bits(index1.span(), lane_of(index.span(), lane).span(), "index");
  });
}

RC_GTEST_PROP(OneSample, ConvolutionGivesTheBitsOfALane, ()) {
  const Case k = with_output(any_shape(60, 12, 70), static_cast<std::uint32_t>(pick(0, 1 << 30)));
  expect_the_bits_of_a_lane(kDirectConv, k, epilogue_for(k.s));
}

RC_GTEST_PROP(OneSample, DepthwiseGivesTheBitsOfALane, ()) {
  ConvShape s{};
  s.channels = s.filters = s.groups = pick(1, 40);
  s.kernel_h = pick(1, 5);
  s.kernel_w = *rc::gen::element(3, 5, 7);
  s.stride_h = pick(1, 2);
  s.stride_w = pick(1, 2);
  s.pad_h = pick(0, s.kernel_h - 1);
  s.pad_w = pick(0, s.kernel_w - 1);
  s.height = s.kernel_h + pick(0, 9);
  s.width = s.kernel_w + pick(0, 20);
  ConvEpilogue e = epilogue_for(s);
  e.pool_h = e.pool_w = 1;
  const auto k = with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
  expect_the_bits_of_a_lane({plan_depthwise_forward, nullptr, nullptr}, k, e);
}

RC_GTEST_PROP(OneSample, PointwiseGivesTheBitsOfALane, ()) {
  ConvShape s{};
  s.groups = *rc::gen::element(1, 1, 2, 3, 8);
  s.channels = pick(1, 150 / static_cast<int>(s.groups)) * s.groups;
  s.filters = pick(1, 60 / static_cast<int>(s.groups)) * s.groups;
  s.kernel_h = s.kernel_w = 1;
  s.height = pick(1, 15);
  s.width = pick(1, 15);
  ConvEpilogue e = epilogue_for(s);
  e.pool_h = e.pool_w = 1;
  ASSERT_TRUE(pointwise_one_fits(s, e));
  const auto k = with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
  expect_the_bits_of_a_lane(kDirectConv, k, e);
}

RC_GTEST_PROP(OneSample, WinogradGivesTheBitsOfALane, ()) {
  const ConvShape s =
      any_winograd_shape(*rc::gen::element(pick(1, 40), pick(60, 135)), pick(1, 70), *rc::gen::element(24, 24, 60));
  const Case k = with_output(s, static_cast<std::uint32_t>(pick(0, 1 << 30)));
  const auto window = [](std::int64_t n) -> std::int64_t {
    const std::int64_t size = *rc::gen::element(1, 2, 4);
    return size <= n ? size : 1;
  };
  RC_PRE(winograd_fits(k.s));
  expect_the_bits_of_a_lane(kWinogradConv, k, any_epilogue(window(k.s.out_h), window(k.s.out_w)));
}

RC_GTEST_PROP(OneSample, DenseGivesTheBitsOfALane, ()) {
  const std::int64_t outputs = pick(1, 150), inputs = pick(1, 150);
  const bool relu = *rc::gen::arbitrary<bool>();
  std::mt19937 random(static_cast<std::uint32_t>(pick(0, 1 << 30)));
  const Guarded x(static_cast<std::size_t>(inputs * kLanes), random);
  const Guarded w(static_cast<std::size_t>(inputs * outputs), random);
  const Guarded bias(static_cast<std::size_t>(outputs), random);
  spoil(x);
  spoil(w);
  spoil(bias);
  const float* const biases = *rc::gen::arbitrary<bool>() ? bias.data() : nullptr;
  const Guarded packed(dense_one_packed(outputs, inputs)), y(static_cast<std::size_t>(outputs * kLanes));
  dense_one_pack(outputs, inputs, w.data(), packed.data(), Share());
  dense_forward(outputs, inputs, {}, x.data(), w.data(), biases, relu, y.data());
  const std::int64_t lane = pick(0, kLanes - 1);
  const Guarded one = lane_of(x.span(), lane);
  on_every_target([&] {
    const Guarded y1(AlignedFloats::round(static_cast<std::size_t>(outputs)));  // whole blocks are written
    dense_one(outputs, inputs, one.data(), packed.data(), biases, relu, y1.data());
    RC_ASSERT(y1.intact());
    expect_same_bits(y1.span().first(static_cast<std::size_t>(outputs)), lane_of(y.span(), lane).span(), "y");
  });
}

}  // namespace
}  // namespace chalk
