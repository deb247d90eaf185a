#include "chalkgrad/network_gradcheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing::StartsWith;

Network small() { return network("2c3-tanh-3n", {1, 4, 4}); }

TEST(NetworkGradcheck, PassesAndNamesWhatWasCompared) {
  const auto result = check_network(small());
  EXPECT_TRUE(result.passed);
  ASSERT_EQ(result.rules.checks.size(), 5U);  // two weights, two biases, the input
  EXPECT_EQ(result.engine.size(), 6U);        // and the loss
  EXPECT_EQ(result.rules.checks.back().name, "x");
}

TEST(NetworkGradcheck, NoticesARuleThatIsWrongByOnePerCent) {
  NetworkGradcheckOptions options;
  options.rules = corrupted_rule(small(), "conv2d");
  EXPECT_FALSE(check_network(small(), options).passed);
  EXPECT_FALSE(check_updates(small(), 0.1, options).passed);
  EXPECT_TRUE(check_updates(small(), 0.1).passed);
}

TEST(NetworkGradcheck, ListsTheRulesThatCanBeCorrupted) {
  EXPECT_THAT(testing_support::input_error([] { corrupted_rule(small(), "max_pool"); }),
              StartsWith("max_pool: this network has no such operation with a derivative; it has "));
}

TEST(NetworkGradcheck, CorruptsNoRuleThatNothingGoesThrough) {  // leaky-relu selects between two constants
  EXPECT_THAT(testing_support::input_error([] { corrupted_rule(network("leaky-relu-5n", {6}), "select"); }),
              StartsWith("select: this network has no such operation with a derivative; it has mul, "));
}

}  // namespace
}  // namespace chalk
