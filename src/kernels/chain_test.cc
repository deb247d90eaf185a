// Chains against one number at a time, on every instruction set.
#include "src/kernels/chain.h"

#include <gtest/gtest.h>
// After GoogleTest, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "src/kernels/conv_testing.h"

namespace chalk {
namespace {

constexpr std::uint16_t kOperands = 4, kStored = kOperands, kTotal = kOperands + 1;  // places in `at`

/// v after a link.
float after(LinkKind kind, float v, float a, float b) {
  switch (kind) {
    case LinkKind::load:
      return a;
    case LinkKind::add:
      return v + a;
    case LinkKind::sub:
      return v - a;
    case LinkKind::sub_of:
      return a - v;
    case LinkKind::mul:
      return v * a;
    case LinkKind::div:
      return v / a;
    case LinkKind::div_of:
      return a / v;
    case LinkKind::square:
      return v * v;
    case LinkKind::neg:
      return -v;
    case LinkKind::sqrt:
      return std::sqrt(v);
    case LinkKind::relu:
      return v < 0 ? 0.0f : v;
    case LinkKind::greater:
      return v > a ? 1.0f : 0.0f;
    case LinkKind::less:
      return a > v ? 1.0f : 0.0f;
    case LinkKind::choose:
      return v == 0 ? b : a;
    case LinkKind::keep:
      return a == 0 ? b : v;
    case LinkKind::replace:
      return a == 0 ? v : b;
    case LinkKind::store:
    case LinkKind::sum:
      break;
  }
  return v;
}

LinkKind any_kind() {
  return *rc::gen::element(LinkKind::load, LinkKind::add, LinkKind::sub, LinkKind::sub_of, LinkKind::mul, LinkKind::div,
                           LinkKind::div_of, LinkKind::square, LinkKind::neg, LinkKind::sqrt, LinkKind::relu,
                           LinkKind::greater, LinkKind::less, LinkKind::choose, LinkKind::keep, LinkKind::replace);
}

struct Chain {
  std::size_t groups = static_cast<std::size_t>(pick(1, 70));
  std::vector<std::uint8_t> steps;
  std::vector<Guarded> operands;
  std::vector<Link> links;

  Chain() {
    std::mt19937 random(static_cast<std::uint32_t>(pick(0, 1 << 30)));
    for (std::uint16_t i = 0; i < kOperands; ++i) {
      steps.push_back(*rc::gen::element<std::uint8_t>(0, 16));
      operands.emplace_back(steps[i] ? groups * 16 : 16, random);
      for (const float special : {NAN, -0.0f, 0.0f, 0.0f})
        operands[i].span()[static_cast<std::size_t>(pick(0, 15))] = special;
    }
    const auto add = [&](LinkKind kind) {
      const auto a = static_cast<std::uint16_t>(pick(0, kOperands - 1)),
                 b = static_cast<std::uint16_t>(pick(0, kOperands - 1));
      links.push_back(
          {kind, a, b, steps[a], steps[b], *rc::gen::element(Prefetch::none, Prefetch::near, Prefetch::far)});
    };
    add(LinkKind::load);
    for (std::int64_t left = pick(0, 8); left > 0; --left) add(any_kind());
    links.push_back({LinkKind::store, kStored});
    links.push_back({LinkKind::sum, kTotal});
  }
  float result(std::size_t place) const {
    float v = 0;
    for (const Link& link : links) {
      if (link.kind == LinkKind::store || link.kind == LinkKind::sum) continue;
      const auto of = [&](std::uint16_t k, std::uint8_t step) {
        return operands[k].span()[place / 16 * step + place % 16];
      };
      v = after(link.kind, v, of(link.a, link.a_step), of(link.b, link.b_step));
    }
    return v;
  }
  std::vector<float*> at(const Guarded& stored, const Guarded& total) const {
    std::vector<float*> all;
    for (const auto& operand : operands) all.push_back(operand.data());
    all.push_back(stored.data());
    all.push_back(total.data());
    return all;
  }
};

RC_GTEST_PROP(Chain, MakesAndSumsWhatItsOperationsDo, ()) {
  const Chain chain;
  const auto sums = *rc::gen::element<std::uint8_t>(16, 32, 64);
  std::vector<float> expected(chain.groups * 16), totals(sums * std::size_t{16}, 0.0f);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = chain.result(i);
    totals[i % totals.size()] += expected[i];  // so many sums for each lane
  }
  on_every_target([&] {
    const Guarded stored(expected.size()), total(totals.size());
    std::fill(total.span().begin(), total.span().end(), 0.0f);
    run_chain(chain.links, chain.at(stored, total).data(), chain.groups, {.sums = sums});
    RC_ASSERT(stored.intact() && total.intact());
    expect_same_bits(stored.span(), expected, "stored");
    expect_same_bits(total.span(), totals, "total");
  });
}

RC_GTEST_PROP(Chain, OfOneSampleSumsPlacesByLane, ()) {
  const Chain chain;
  const auto lanes = static_cast<int>(pick(1, 16));
  const std::size_t count = chain.groups * 16 - 16 + static_cast<std::size_t>(lanes);
  std::vector<float> totals(16, 0.0f);
  for (std::size_t i = 0; i < count; ++i) totals[i % 16] += chain.result(i);
  on_every_target([&] {
    const Guarded stored(chain.groups * 16), total(totals.size());
    std::fill(total.span().begin(), total.span().end(), 0.0f);
    run_chain(chain.links, chain.at(stored, total).data(), chain.groups, {.step = 0, .lanes = lanes});
    RC_ASSERT(stored.intact() && total.intact());
    expect_same_bits(total.span(), totals, "total");
  });
}

RC_GTEST_PROP(Chain, FoldsLaneGroupsInTheTreeOfLanes, ()) {
  std::mt19937 random(static_cast<std::uint32_t>(pick(0, 1 << 30)));
  const Guarded groups(256, random);
  std::vector<float> expected;
  for (std::size_t lane = 0; lane < 16; ++lane) {
    float sums[16];
    for (std::size_t i = 0; i < 16; ++i) sums[i] = groups.span()[i * 16 + lane];
    expected.push_back(fold_tree(sums));
  }
  on_every_target([&] {
    const Guarded copy(256);
    std::copy(groups.span().begin(), groups.span().end(), copy.span().begin());
    fold_groups(copy.data());
    RC_ASSERT(copy.intact());
    expect_same_bits(copy.span().first(16), expected, "fold");
  });
}

}  // namespace
}  // namespace chalk
