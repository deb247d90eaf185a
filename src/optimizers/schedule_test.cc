#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/optimizer.h"

namespace chalk {
namespace {

std::string refusal(const char* text) {
  try {
    (void)Schedule::parse(text);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Schedule, FollowsItsFormula) {
  EXPECT_EQ(Schedule::parse("constant").factor(17, 100, 10), 1);
  const auto steps = Schedule::parse("step:2,0.5");
  EXPECT_EQ(steps.factor(19, 100, 10), 1);
  EXPECT_EQ(steps.factor(20, 100, 10), 0.5);
  EXPECT_EQ(steps.factor(45, 100, 10), 0.25);
  const auto cosine = Schedule::parse("cosine");
  for (const std::int64_t step : {0, 25, 50, 99}) {
    EXPECT_NEAR(cosine.factor(step, 100, 10), 0.5 * (1 + std::cos(M_PI * static_cast<double>(step) / 100)), 1e-15);
  }
  const auto cycle = Schedule::parse("one-cycle");
  EXPECT_LT(cycle.factor(0, 100, 10), 0.1);
  EXPECT_NEAR(cycle.factor(20, 100, 10), 1, 1e-12);
  EXPECT_NEAR(cycle.factor(60, 100, 10), 0.5, 1e-12);
  const auto warm = Schedule::parse("constant+warmup:2");
  EXPECT_NEAR(warm.factor(0, 100, 10), 1.0 / 21, 1e-12);
  EXPECT_EQ(warm.factor(20, 100, 10), 1);
}

TEST(Schedule, ReadsWhatItWrites) {
  for (const char* text : {"constant", "cosine", "one-cycle", "step:10,0.5", "cosine+warmup:2"})
    EXPECT_EQ(Schedule::parse(text).text(), text);
  for (const char* text :
       {"", "cos", "step:", "step:0", "step:1,x", "cosine+warmup", "cosine+warmup:-1", "step:nan", "cosine+cool:2"}) {
    EXPECT_NE(refusal(text).find("is not known; use constant, step:"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace chalk
