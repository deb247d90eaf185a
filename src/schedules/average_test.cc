// Averages as text, and when they move by how much.
#include "src/schedules/average.h"

#include <gtest/gtest.h>

#include "src/base/fields.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::input_error;

TEST(Average, IsReadAsItIsWritten) {
  for (const char* text : {"ema:0.999", "ema:0.5,from=3", "swa:10", "swa:0,every=5"})
    EXPECT_EQ(Average::parse(text).text(), text);
  EXPECT_EQ(Average::parse("ema:decay=0.9,from=0").text(), "ema:0.9");
  EXPECT_EQ(Average::parse("swa:3,every=2"), Average(Swa{.from = 3, .every = 2}));
  EXPECT_EQ(Average::parse("ema:0.9"), Average(Ema{.decay = 0.9}));
  for (const char* none : {"", "none"}) {
    EXPECT_FALSE(Average::parse(none)) << none;
    EXPECT_EQ(Average::parse(none).text(), "");
    EXPECT_EQ(Average::parse(none), Average());
  }
}

TEST(Average, ThatCannotBeReadSaysWhy) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"mean", "average \"mean\" is not known; use ema:DECAY, swa:FROM or none"},
      {"EMA:0.9", "average \"EMA:0.9\" is not known; did you mean \"ema\"?"},
      {"ema", "average \"ema\": DECAY is missing; write ema:DECAY as in ema:0.999"},
      {"ema:", "average \"ema:\": DECAY is missing; write ema:DECAY as in ema:0.999"},
      {"ema:1", "average \"ema:1\": DECAY is 1; it must be at least 0 and below 1"},
      {"ema:x", "average \"ema:x\": DECAY is \"x\"; it must be at least 0 and below 1"},
      {"ema:0.9,from=-1", "average \"ema:0.9,from=-1\": from is -1; it must be whole, and from 0 to 1000000"},
      {"ema:0.9,3", "average \"ema:0.9,3\": 3 is one too many; ema takes decay and from"},
      {"ema:0.9,every=3", "average \"ema:0.9,every=3\": ema has no \"every\", but decay and from"},
      {"swa:", "average \"swa:\": FROM is missing; write swa:FROM as in swa:10"},
      {"swa:1.5", "average \"swa:1.5\": FROM is \"1.5\"; it must be whole, and from 0 to 1000000"},
      {"swa:1,every=0", "average \"swa:1,every=0\": every is 0; it must be whole, and from 1 to 1000000"},
      {"none:1", "average \"none:1\" is not known; use ema:DECAY, swa:FROM or none"}};
  for (const auto& one : wrong) EXPECT_EQ(input_error([&] { (void)Average::parse(one.first); }), one.second);
}

TEST(Average, OutOfRangeIsRefused) {
  EXPECT_EQ(input_error([] { Average(Ema{.decay = 1}).check(10); }), "decay is 1; it must be at least 0 and below 1");
  EXPECT_EQ(input_error([] { Average(Swa{.from = -1}).check(10); }), "from is -1; it must be from 0 to 1000000");
  EXPECT_EQ(input_error([] { Average(Swa{.every = 0}).check(10); }), "every is 0; it must be from 1 to 1000000");
  EXPECT_EQ(input_error([] { Average().check(1); }), "(no InputError)");
}

TEST(Average, OfStepsBeginsWithACopyAndMovesAtEachStep) {
  const Average ema(Ema{.decay = 0.75, .from = 2});
  for (std::int64_t step = 0; step < 30; ++step) {
    EXPECT_EQ(ema.begun(step, 5), step > 10) << step;
    EXPECT_EQ(ema.share(step, 5), step >= 10 ? 0.25 : 0) << step;
    EXPECT_FALSE(ema.measures_after(step, 5)) << step;
  }
}

TEST(Average, OfEpochsIsTheMeanOfTheirLastWeights) {
  const Average swa(Swa{.from = 1, .every = 2});  // the ends of epochs 3, 5, 7 …
  for (std::int64_t step = 0; step < 50; ++step) {
    const bool averaged = step % 10 == 9 - 5 && step >= 14;  // five steps an epoch: steps 14, 24, 34 …
    const auto n = static_cast<double>((step - 14) / 10 + 1);
    EXPECT_EQ(swa.share(step, 5), averaged ? 1 / n : 0) << step;
    EXPECT_EQ(swa.begun(step, 5), step > 14) << step;
    EXPECT_EQ(swa.measures_after(step, 5), averaged) << step;
  }
}

}  // namespace
}  // namespace chalk
