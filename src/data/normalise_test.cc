#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "chalkgrad/graph.h"
#include "chalkgrad/program.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing_support::input_error;

/// Two samples of two channels, the second of which never changes; and a test sample beyond them.
Split pictures() {
  Split split;
  split.train.sample = split.test.sample = {2, 1, 2};
  split.train.bytes = {0, 10, 51, 51, 20, 30, 51, 51};
  split.test.bytes = {60, 255, 0, 51};
  return split;
}

Split vectors() {
  Split split;
  split.train.sample = {2};
  split.train.values = {1.5F, -7, 2.5F, -7, 5, -7};
  return split;
}

/// What the engine makes of the samples, together and each alone.
std::vector<float> seen(const Dataset& data) {
  Graph g;
  g.output("y", g.input("x", data.sample));
  Variables none;
  Program program(g, none, {.threads = 1});
  Feed feed{.scale = data.scale.empty() ? nullptr : data.scale.data(),
            .shift = data.shift.empty() ? nullptr : data.shift.data(),
            .per_sample = data.per_sample};
  if (data.bytes.empty()) {
    feed.values = data.values.data();
  } else {
    feed.bytes = data.bytes.data();
  }
  program.feed("x", feed);
  const auto size = static_cast<std::size_t>(elements(data.sample));
  const auto samples = (data.bytes.size() + data.values.size()) / size;
  program.run(samples);
  const auto all = program.output("y");
  std::vector<float> together(all.begin(), all.end());
  for (std::uint32_t n = 0; n < samples; ++n) {
    program.run(1, &n);
    const auto alone = program.output("y");
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(n * size)));
  }
  return together;
}

Normalisation named(std::string_view text) { return Normalisation::parse(text); }

TEST(Normalise, ByChannelGivesEachMeanZeroAndDeviationOne) {
  auto split = pictures();
  normalise(split);
  const auto deviation = std::sqrt(125.0);  // of 0, 10, 20, 30
  EXPECT_THAT(split.train.scale, ElementsAre(static_cast<float>(1 / deviation), 1.0F / 255));
  EXPECT_THAT(split.test.shift, ElementsAre(static_cast<float>(-15 / deviation), -0.2F)) << "as of the training part";
  EXPECT_NEAR(seen(split.train)[3], 0, 1e-7) << "of a channel that never changes";
}

TEST(Normalise, ByChannelTakesNumbersIfToldTo) {
  auto split = vectors();
  normalise(split, named("channel"));
  const auto y = seen(split.train);
  const auto deviation = std::sqrt((1.5 * 1.5 + 0.5 * 0.5 + 2 * 2) / 3);  // of 1.5, 2.5, 5 about 3
  EXPECT_THAT(split.train.scale, ElementsAre(static_cast<float>(1 / deviation), 1));
  EXPECT_FLOAT_EQ(y[4], static_cast<float>(2 / deviation));
  EXPECT_EQ(y[1], 0);
}

TEST(Normalise, ByMinAndMaxGoesFromZeroToOne) {
  auto split = pictures();
  normalise(split, named("min-max"));
  EXPECT_THAT(split.train.scale, ElementsAre(1.0F / 30, 1.0F / 255));
  EXPECT_THAT(seen(split.train),
              testing::Pointwise(testing::FloatNear(1e-6F), {0.F, 1 / 3.F, 0.F, 0.F, 2 / 3.F, 1.F, 0.F, 0.F}));
  EXPECT_NEAR(seen(split.test)[0], 2, 1e-6) << "other parts may go beyond";
  auto numbers = vectors();
  normalise(numbers, named("min-max"));
  EXPECT_THAT(seen(numbers.train), testing::Pointwise(testing::FloatNear(1e-6F), {0.F, 0.F, 2 / 7.F, 0.F, 1.F, 0.F}));
}

TEST(Normalise, BySampleIsOfAllElementsOfEachSample) {
  auto split = pictures();
  normalise(split, named("sample"));
  EXPECT_TRUE(split.train.per_sample && split.test.per_sample);
  const auto y = seen(split.train);
  for (const auto first : {0U, 4U}) {
    double sum = 0, squares = 0;
    for (auto i = first; i < first + 4; ++i) {
      sum += static_cast<double>(y[i]);
      squares += static_cast<double>(y[i]) * static_cast<double>(y[i]);
    }
    EXPECT_NEAR(sum, 0, 1e-6);
    EXPECT_NEAR(squares / 4, 1, 1e-6);
  }
  auto plain = pictures();
  plain.train.bytes = {9, 9, 9, 9, 1, 2, 3, 4};
  normalise(plain, named("sample"));
  EXPECT_THAT(std::vector(seen(plain.train)).front(), testing::FloatNear(0, 1e-6F)) << "equal elements become 0";
  auto numbers = vectors();
  normalise(numbers, named("sample"));
  EXPECT_THAT(seen(numbers.train), testing::Pointwise(testing::FloatNear(1e-6F), {1.F, -1.F, 1.F, -1.F, 1.F, -1.F}));
}

TEST(Normalise, GivenNumbersAreOfPartsOfWhite) {
  auto split = pictures();
  normalise(split, named("given:0.5,0.2/0.25,0.5"));
  EXPECT_THAT(split.train.scale,
              ElementsAre(static_cast<float>(1 / (0.25 * 255)), static_cast<float>(1 / (0.5 * 255))));
  EXPECT_NEAR(seen(split.test)[1], 2, 1e-6) << "white: (1 − 0.5) / 0.25";
  auto numbers = vectors();
  normalise(numbers, named("given:2/4"));
  EXPECT_EQ(seen(numbers.train)[0], -0.125F) << "numbers have their own unit, and one of each is for all";
}

TEST(Normalise, NoneIsPartsOfWhiteAndNumbersAsTheyAre) {
  auto split = pictures();
  normalise(split, named("none"));
  EXPECT_THAT(seen(split.test), ElementsAre(60.F * (1.F / 255), 255.F * (1.F / 255), 0, 51.F * (1.F / 255)));
  auto numbers = vectors();
  normalise(numbers, named("channel"));
  normalise(numbers, named("none"));
  EXPECT_TRUE(numbers.train.scale.empty());
  EXPECT_EQ(seen(numbers.train), numbers.train.values);
}

TEST(Normalise, TextsReadBack) {
  for (const char* text : {"channel", "sample", "min-max", "none", "given:0.4914,0.4822,0.4465/0.247,0.2435,0.2616"})
    EXPECT_EQ(named(text).text(), text);
}

TEST(Normalise, SaysWhatIsWrong) {
  const auto error = [](const char* text) { return input_error([&] { (void)Normalisation::parse(text); }); };
  EXPECT_EQ(error("chanel"),
            "\"chanel\" is no normalisation; did you mean \"channel\"? It is channel, sample, min-max, none or "
            "given:MEAN,…/DEVIATION,…");
  EXPECT_EQ(error(""), "\"\" is no normalisation; it is channel, sample, min-max, none or given:MEAN,…/DEVIATION,…");
  EXPECT_EQ(error("given:0.5"),
            "\"given:0.5\": has no deviations; write means, / and as many deviations: given:0.5/0.25");
  EXPECT_EQ(error("given:0.5,x/1,1"), "\"given:0.5,x/1,1\": mean 2 is \"x\"; it must be a number");
  EXPECT_EQ(error("given:0.5/"), "\"given:0.5/\": deviation 1 is \"\"; it must be a number");
  EXPECT_EQ(error("given:0.5/nan"), "\"given:0.5/nan\": deviation 1 is \"nan\"; it must be a number");
  EXPECT_EQ(error("given:1,2/3"), "\"given:1,2/3\": has 2 means and 1 deviations; give as many of each");
  EXPECT_EQ(error("given:0,0/1,0"), "\"given:0,0/1,0\": deviation 2 is 0; it must be above 0, as it divides");
  EXPECT_EQ(error("given:0/-1"), "\"given:0/-1\": deviation 1 is -1; it must be above 0, as it divides");
  auto split = pictures();
  EXPECT_EQ(input_error([&] { normalise(split, named("given:1,2,3/1,1,1")); }),
            "normalisation given:1,2,3/1,1,1: gives 3 means, and the samples are 2×1×2; give 2 and as many deviations, "
            "one a channel, or one of each for all");
}

}  // namespace
}  // namespace chalk
