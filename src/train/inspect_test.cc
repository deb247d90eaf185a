#include "chalkgrad/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "src/base/test_support.h"

namespace chalk {
namespace {

TEST(Inspect, EngineAndReferenceAgreeOnEveryValueAndGradient) {
  const auto data = digits().train;
  auto net = network("2c3-relu-drop0.25-noise0.1-10n", data.sample);
  const auto right = inspect(net, data, 7, 3), fast = inspect(net, data, 7, 3, InspectBy::engine);
  ASSERT_EQ(right.size(), fast.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    EXPECT_EQ(right[i].name, fast[i].name);
    EXPECT_EQ(right[i].value.size(), static_cast<std::size_t>(elements(right[i].shape))) << right[i].name;
    ASSERT_EQ(right[i].gradient.size(), right[i].value.size()) << right[i].name;
    for (std::size_t k = 0; k < right[i].value.size(); ++k) {
      ASSERT_NEAR(right[i].value[k], fast[i].value[k], 1e-4) << right[i].name << " " << k;
      ASSERT_NEAR(right[i].gradient[k], fast[i].gradient[k], 1e-4) << right[i].name << " " << k;
    }
  }
  const auto loss = std::ranges::find(right, "loss", &InspectedValue::name);
  ASSERT_NE(loss, right.end());
  EXPECT_EQ(loss->gradient[0], 1);
  EXPECT_EQ(std::ranges::find(right, "x", &InspectedValue::name)->shape, (Shape{3, 1, 8, 8}));
}

TEST(Inspect, RefusesSamplesThatAreNotThere) {
  const auto data = digits().test;
  auto net = network("10n", data.sample);
  EXPECT_EQ(testing_support::input_error([&] { inspect(net, data, 359, 1); }),
            "data set \"digits\" has 359 samples; 1 from 359 on are not all there");
}

}  // namespace
}  // namespace chalk
