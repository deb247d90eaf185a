#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/optimizer.h"
#include "src/base/text.h"

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

TEST(Schedule, IsOpenEndedIfMoreEpochsChangeNoRateBeforeThem) {
  for (const auto& [text, open] : {std::pair{"constant", true},
                                   {"step:2,0.5", true},
                                   {"constant+warmup:3", true},
                                   {"step:2+warmup:4", false},
                                   {"constant+warmup:3.5", false},
                                   {"cosine", false},
                                   {"one-cycle", false},
                                   {"cosine+warmup:1", false}}) {
    const auto schedule = Schedule::parse(text);
    EXPECT_EQ(schedule.open_ended(3), open) << text;
    bool same = true;
    for (int step = 0; step < 30; ++step) same &= schedule.factor(step, 30, 10) == schedule.factor(step, 70, 10);
    EXPECT_EQ(same, open) << text;
  }
}

TEST(Schedule, ReadsWhatItWrites) {
  for (const char* text : {"constant", "cosine", "one-cycle", "step:10,0.5", "cosine+warmup:2"})
    EXPECT_EQ(Schedule::parse(text).text(), text);
  for (const char* text : {"", "cos", "step:", "step:1,x", "cosine+warmup", "cosine+warmup:", "cosine+cool:2"}) {
    EXPECT_NE(refusal(text).find("is not known; use constant, step:"), std::string::npos) << text;
  }
  for (const auto& [text, what] : {std::pair{"step:0,0.1", "EPOCHS is 0"},
                                   {"step:1,-2", "FACTOR is -2"},
                                   {"step:nan", "EPOCHS is nan"},
                                   {"cosine+warmup:-1", "EPOCHS of warmup is -1"},
                                   {"constant+warmup:1e999", "EPOCHS of warmup is 1e999"}}) {
    EXPECT_EQ(refusal(text), str("schedule \"", text, "\": ", what, "; it must be a number above 0"));
  }
}

}  // namespace
}  // namespace chalk
