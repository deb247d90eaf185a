#include "chalkgrad/network_gradcheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "src/base/test_support.h"
#include "src/base/text.h"

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

/// The operations whose rules can be corrupted, as the error message lists them.
std::vector<std::string> corruptible(const Network& net) {
  const auto message = testing_support::input_error([&] { corrupted_rule(net, "?"); });
  std::istringstream list(message.substr(message.find("it has ") + 7));
  std::vector<std::string> names;
  for (std::string name; std::getline(list >> std::ws, name, ',');) names.push_back(name);
  return names;
}

struct GradcheckCase {
  const char* network;
  Shape input;
  std::size_t batch = 3;
};

// Networks in which something cancels, is small or lies on an edge. With two samples, the normalised values of a vector
// are ±1 whatever the weights are, and the gradients before them are all but zero.
const GradcheckCase kCases[] = {{"5n-bn-relu-3n", {4}, 2},
                                {"20n-bn-relu-20n-bn-relu-3n", {4}, 2},
                                {"5n-bn-tanh-3n", {4}, 4},
                                {"4c3-bn-relu-mp2-3n", {1, 4, 4}, 2},
                                {"3c4-bn-relu-5n", {2, 4, 4}, 2},
                                {"4c3z-bn-relu-res(4c3z-bn-relu-4c3z-bn)-relu-gap-3n", {1, 4, 4}, 2},
                                {"2c3-tanh-3n", {1, 4, 4}},
                                {"3c3z-relu-mp2-5n-sigmoid", {2, 4, 4}},
                                {"8n-sigmoid-8n-sigmoid-8n-sigmoid-4n-sigmoid", {6}},
                                {"6n-leaky-relu0.2-6n-leaky-relu-3n-softmax", {5}, 1},
                                {"4c3-gelu-mp2-6n-elu0.5-6n-prelu0.25c-5n-mish-3n-selu", {2, 6, 6}},
                                {"4c3-hard-swish-3c3-gelutanh-6n-silu-6n-log-sigmoid-3n-scaled-tanh", {1, 6, 6}, 2},
                                {"3c3z-lnc-gelu-cat(1c1,2c3z-in)-gn1-tanh-up2b-aap3-3n", {1, 3, 3}, 2},
                                {"3c3z-lrn3-relu-2t4s2z-ln-tanh-gmp-3n", {1, 3, 3}, 2},
                                {"3c3z-drop0.25c-res(3c3z-drop0.4s)-noise0.5-4n-tanh-drop-3n", {1, 3, 3}, 3},
                                {"3c5z-ap2-3c3z-gap-bias-4n", {1, 6, 6}},
                                {"4c3zs2g2-relu-4c3w-mp3s2z-tanh", {2, 5, 5}, 2}};

void PrintTo(const GradcheckCase& c, std::ostream* out) {
  for (const char* at = c.network; *at != 0; ++at) *out << (std::isalnum(*at) ? *at : '_');
}

class EveryCase : public testing::TestWithParam<GradcheckCase> {
 protected:
  const GradcheckCase& c = GetParam();
};
INSTANTIATE_TEST_SUITE_P(NetworkGradcheck, EveryCase, testing::ValuesIn(kCases), testing::PrintToStringParamName());

std::string failures(const NetworkGradcheck& result) {
  auto text = to_string(result.rules);
  for (const auto& e : result.engine) {
    text += str(e.name, " engine: error ", e.error, ", allowed ", e.allowed, ", largest ", e.largest,
                e.passed ? "" : "  FAILED", "\n");
  }
  return text;
}

TEST_P(EveryCase, RaisesNoFalseAlarm) {
  for (std::uint64_t seed = 1; seed <= 8; seed += testing_support::one_in()) {
    NetworkGradcheckOptions options;
    options.seed = seed;
    options.batch = c.batch;
    const auto net = network(c.network, c.input);
    const auto result = check_network(net, options);
    EXPECT_TRUE(result.passed) << "seed " << seed << "\n" << failures(result);
    EXPECT_TRUE(check_updates(net, 0.1, options).passed) << "seed " << seed;
  }
}

TEST_P(EveryCase, NoticesThatAnyRuleIsWrongByOnePerCent) {
  const auto net = network(c.network, c.input);
  const auto operations = corruptible(net);
  EXPECT_GT(operations.size(), 3U);
  for (std::size_t i = 0; i < operations.size(); i += testing_support::one_in()) {
    NetworkGradcheckOptions options;
    options.batch = c.batch;
    options.rules = corrupted_rule(net, operations[i]);
    EXPECT_FALSE(check_network(net, options).rules.passed) << operations[i];
  }
}

TEST(NetworkGradcheck, AllowsTheEngineLittleWhereNothingCancels) {
  for (const auto& c : check_network(small()).engine) {
    EXPECT_LT(c.error, c.allowed) << c.name;
    EXPECT_LT(c.allowed, 3e-4 * c.largest) << c.name;
  }
}

}  // namespace
}  // namespace chalk
