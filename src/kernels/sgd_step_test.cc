#include "src/kernels/sgd_step.h"

#include <gtest/gtest.h>

#include <vector>

namespace chalk {
namespace {

using enum LinkKind;

// Operands; the numbers are one for all groups.
constexpr std::uint16_t kGradient = 0, kRate = 1, kMomentum = 2, kDecay = 3, kW = 4, kM = 5, kDecayed = 6, kWNext = 7,
                        kMNext = 8;

using Written = std::vector<std::uint16_t>;

Link link(LinkKind kind, std::uint16_t a) {
  const bool number = a == kRate || a == kMomentum || a == kDecay;
  return {kind, a, 0, number ? std::uint8_t{0} : std::uint8_t{16}};
}

std::vector<Link> plain() { return {link(load, kRate), link(mul, kGradient), link(sub_of, kW), link(store, kWNext)}; }

std::vector<Link> with_everything() {
  return {link(load, kDecay), link(mul, kW),       link(add, kGradient), link(store, kDecayed), link(load, kMomentum),
          link(mul, kM),      link(add, kDecayed), link(store, kMNext),  link(mul, kMomentum),  link(add, kDecayed),
          link(mul, kRate),   link(sub_of, kW),    link(store, kWNext)};
}

TEST(SgdStep, IsFoundInItsLinks) {
  const auto step = find_sgd_chain(plain(), kGradient, Written{kWNext});
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->decays || step->has_momentum || step->nesterov || step->ascends);
  EXPECT_EQ(step->rate, kRate);
  EXPECT_EQ(step->w, kW);
  EXPECT_EQ(step->w_next, kWNext);
}

TEST(SgdStep, IsFoundWithDecayAndNesterovsMomentum) {
  const auto step = find_sgd_chain(with_everything(), kGradient, Written{kMNext, kWNext});
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->decays && step->has_momentum && step->nesterov && !step->ascends);
  EXPECT_EQ(step->decay, kDecay);
  EXPECT_EQ(step->momentum, kMomentum);
  EXPECT_EQ(step->m, kM);
  EXPECT_EQ(step->m_next, kMNext);
}

TEST(SgdStep, IsNotFoundWhereAnotherValueIsWanted) {
  EXPECT_FALSE(find_sgd_chain(with_everything(), kGradient, Written{kDecayed, kMNext, kWNext}));
  EXPECT_FALSE(find_sgd_chain(with_everything(), kGradient, Written{kWNext}));
}

TEST(SgdStep, IsNotFoundInOtherLinks) {
  auto divides = plain(), longer = plain(), rate_of_each = plain(), of_itself = plain();
  divides[1].kind = div;
  longer.push_back(link(store, kMNext));
  rate_of_each[0].a_step = 16;
  of_itself[2].a = kGradient;
  for (const auto& links : {divides, longer, rate_of_each, of_itself})
    EXPECT_FALSE(find_sgd_chain(links, kGradient, Written{kWNext}));
  EXPECT_FALSE(find_sgd_chain(plain(), kM, Written{kWNext}));
}

}  // namespace
}  // namespace chalk
