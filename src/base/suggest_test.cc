#include "src/base/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace chalk {
namespace {

constexpr std::array<std::string_view, 5> kKnown{"relu", "tanh", "sigmoid", "softmax", "add"};

TEST(Suggest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("rleu", kKnown), "relu");
  EXPECT_EQ(nearest("ReLU", kKnown), "relu");
  EXPECT_EQ(nearest("sigmod", kKnown), "sigmoid");
  EXPECT_EQ(nearest("softmax2", kKnown), "softmax");
  EXPECT_EQ(nearest("ad", kKnown), "add");
}

TEST(Suggest, SaysNothingRatherThanNonsense) {
  EXPECT_EQ(nearest("conv", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
  EXPECT_EQ(nearest(std::string(100000, 'r'), kKnown), "");
  EXPECT_EQ(did_you_mean("x", kKnown), "");
  EXPECT_EQ(did_you_mean("tan", kKnown), "; did you mean \"tanh\"?");
}

}  // namespace
}  // namespace chalk
