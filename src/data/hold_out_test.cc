#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

Dataset numbered(std::int32_t samples) {
  Dataset data;
  data.name = "numbers";
  data.sample = {2};
  data.class_names.assign(100, "c");
  for (std::int32_t i = 0; i < samples; ++i) {
    data.values.insert(data.values.end(), {static_cast<float>(i), -static_cast<float>(i)});
    data.labels.push_back(i);
  }
  return data;
}

TEST(HoldOut, EachSampleIsInOnePartWithItsLabelAndInOrder) {
  const auto split = hold_out(numbered(50), 0.2);
  EXPECT_EQ(split.test.size(), 10U);
  EXPECT_EQ(split.train.size(), 40U);
  std::set<std::int32_t> seen;
  for (const auto* part : {&split.train, &split.test}) {
    part->check();
    EXPECT_TRUE(std::is_sorted(part->labels.begin(), part->labels.end()));
    for (std::size_t i = 0; i < part->size(); ++i) {
      EXPECT_EQ(part->values[2 * i + 1], -static_cast<float>(part->labels[i]));
      seen.insert(part->labels[i]);
    }
  }
  EXPECT_EQ(seen.size(), 50U);
}

TEST(HoldOut, TheSameSamplesAreTakenEachTime) {
  EXPECT_EQ(hold_out(numbered(50), 0.1).test.labels, hold_out(numbered(50), 0.1).test.labels);
  EXPECT_EQ(hold_out(numbered(50), 0.1).test.labels, (std::vector<std::int32_t>{7, 15, 36, 38, 46}));
}

TEST(HoldOut, ThereIsASampleInEachPart) {
  EXPECT_EQ(hold_out(numbered(2), 0.01).test.size(), 1U);
  EXPECT_EQ(hold_out(numbered(2), 0.99).train.size(), 1U);
}

std::string refusal(std::int32_t samples, double share) {
  return testing_support::input_error([&] { (void)hold_out(numbered(samples), share); });
}

TEST(HoldOut, SaysWhatIsImpossible) {
  EXPECT_EQ(refusal(50, 1), "the share to hold out is 1; it must be above 0 and below 1");
  EXPECT_EQ(refusal(50, std::nan("")), "the share to hold out is nan; it must be above 0 and below 1");
  EXPECT_EQ(refusal(1, 0.5), "numbers: 1 samples are too few to hold some of them out");
}

}  // namespace
}  // namespace chalk
