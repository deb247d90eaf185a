#include "src/run/update_check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"

namespace chalk {
namespace {

/// L = Σ (tanh(W·x) − t)² at some values; its gradient may be spoiled.
struct Problem {
  Graph g;
  Value x = g.input("x", {3}), t = g.input("t", {2}), w = g.parameter("w", {2, 3}), v = g.parameter("v", {2});
  Value loss = batch_mean(sum_of_squares(tanh(dense(x, w)) + v, t));
  std::vector<Value> parameters{w, v};
  std::vector<std::vector<double>> values{{0.3, -0.2, 0.5, 0.1, 0.4, -0.6}, {0.2, -0.1}};
  Reference reference{g, 2};

  Problem() {
    reference.set(x.id(), {1, -0.5, 0.3, 0.2, 0.8, -1});
    reference.set(t.id(), {0, 1, 1, 0});
    for (std::size_t i = 0; i < 2; ++i) reference.set(parameters[i].id(), values[i]);
  }
  std::vector<UpdateCheck> check(std::vector<Value> by, double alpha = 0.1, bool maximise = false) {
    return check_updates(reference, loss, parameters, by, values, alpha, maximise);
  }
};

TEST(UpdateCheck, AStepChangesTheLossByTheSquareOfTheStepOverAlpha) {
  Problem p;
  for (const bool up : {false, true}) {
    for (const auto& c : p.check(gradients(p.loss, p.parameters), 0.1, up)) {
      EXPECT_TRUE(c.passed) << c.name;
      EXPECT_TRUE(c.seen);
      EXPECT_EQ(c.predicted > 0, up) << c.name;
      EXPECT_NEAR(c.measured / c.predicted, 1, 0.1);
      EXPECT_NEAR(c.error_at_tenth, c.error / 10, 1e-4);
    }
  }
  p.reference.run();
  EXPECT_EQ(p.reference.value(p.w.id()), p.values[0]) << "the parameters are put back";
}

TEST(UpdateCheck, NoticesAGradientThatIsWrongByOneThousandth) {
  for (const double wrong : {1.001, 0.999, -1.0, 2.0}) {
    Problem p;
    auto by = gradients(p.loss, p.parameters);
    by[0] = by[0] * p.g.constant(wrong);
    for (const double alpha : {10.0, 0.1, 1e-3}) {
      const auto checks = p.check(by, alpha);
      EXPECT_FALSE(checks[0].passed) << wrong << " at " << alpha;
      EXPECT_TRUE(checks[1].passed) << "the other one is right";
    }
  }
}

TEST(UpdateCheck, FindsTheSmallStepByItself) {
  Problem p;
  const auto by = gradients(p.loss, p.parameters);
  const auto checks = p.check(by, 1000);
  EXPECT_TRUE(checks[0].passed);
  EXPECT_LT(checks[0].alpha, 1);
}

TEST(UpdateCheck, SaysWhatItCannotSee) {
  Problem p;
  auto by = gradients(p.loss, p.parameters);
  by[1] = {};
  const auto checks = p.check(by);
  EXPECT_TRUE(checks[0].seen);
  EXPECT_FALSE(checks[1].seen);
}

TEST(UpdateCheck, NaNFails) {
  Problem p;
  auto by = gradients(p.loss, p.parameters);
  by[0] = by[0] * p.g.constant(std::nan(""));
  EXPECT_FALSE(p.check(by)[0].passed);
  p.reference.set(p.t.id(), {0, 1, std::nan(""), 0});
  EXPECT_THROW(p.check(by), NumericError);
}

}  // namespace
}  // namespace chalk
