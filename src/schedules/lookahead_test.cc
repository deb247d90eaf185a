// Lookahead as text, and when slow weights are pulled.
#include "chalkgrad/lookahead.h"

#include <gtest/gtest.h>

#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::input_error;

TEST(Lookahead, IsReadAsItIsWritten) {
  for (const char* text : {"5", "5,0.5", "steps=5", "steps=5,alpha=0.5"}) {
    EXPECT_EQ(Lookahead::parse(text), (Lookahead{.steps = 5})) << text;
    EXPECT_EQ(Lookahead::parse(text).text(), "5,0.5");
  }
  EXPECT_EQ(Lookahead::parse("3,alpha=0.8"), (Lookahead{.steps = 3, .alpha = 0.8}));
  EXPECT_EQ(Lookahead::form(), "STEPS,ALPHA");
  for (const char* none : {"", "none"}) {
    EXPECT_FALSE(Lookahead::parse(none)) << none;
    EXPECT_EQ(Lookahead::parse(none).text(), "");
  }
}

TEST(Lookahead, ThatCannotBeReadSaysWhy) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"0", "lookahead \"0\": STEPS is 0; it must be whole, and from 1 to 1000000"},
      {"5,0", "lookahead \"5,0\": ALPHA is 0; it must be from 1e-06 to 1"},
      {"5,1.5", "lookahead \"5,1.5\": ALPHA is 1.5; it must be from 1e-06 to 1"},
      {"k=5", "lookahead \"k=5\": STEPS is missing; write STEPS,ALPHA as in 5"},
      {"5,k=5", "lookahead \"5,k=5\": lookahead has no \"k\", but steps and alpha"},
      {"5,0.5,1", "lookahead \"5,0.5,1\": 1 is one too many; lookahead takes steps and alpha"},
      {"yes", "lookahead \"yes\": STEPS is \"yes\"; it must be whole, and from 1 to 1000000"}};
  for (const auto& one : wrong) EXPECT_EQ(input_error([&] { (void)Lookahead::parse(one.first); }), one.second);
  EXPECT_EQ(input_error([] { Lookahead{.steps = -1}.check(); }), "steps is -1; it must be from 1 to 1000000");
  EXPECT_EQ(input_error([] { Lookahead{.steps = 5, .alpha = 0}.check(); }), "alpha is 0; it must be from 1e-06 to 1");
  EXPECT_EQ(input_error([] { Lookahead{}.check(); }), "(no InputError)");
}

TEST(Lookahead, PullsAfterEachKthStep) {
  const Lookahead lookahead{.steps = 3, .alpha = 0.25};
  for (std::int64_t step = 0; step < 20; ++step) EXPECT_EQ(lookahead.pull(step), step % 3 == 2 ? 0.25 : 0) << step;
}

}  // namespace
}  // namespace chalk
