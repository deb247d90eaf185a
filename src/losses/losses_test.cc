// Every loss of the list: its value against the formula in plain numbers, its gradient against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "chalkgrad/error.h"
#include "chalkgrad/gradcheck.h"
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

using Numbers = std::vector<double>;

double sum_over(const Numbers& y, const Numbers& t, const std::function<double(double, double)>& term) {
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += term(y[i], t[i]);
  return sum;
}

double log_softmax_of(const Numbers& y, double one) {
  double sum = 0;
  for (const double v : y) sum += std::exp(v);
  return one - std::log(sum);
}

/// The formulas as the text books write them. A loss that is added to the list needs a line here.
double expected(Loss loss, const Numbers& y, const Numbers& t) {
  switch (loss) {
    case Loss::cross_entropy:
      return -sum_over(y, t, [&](double v, double target) { return target * log_softmax_of(y, v); });
    case Loss::log_likelihood:
      return sum_over(y, t, [&](double v, double target) { return target * log_softmax_of(y, v); });
    case Loss::binary_cross_entropy:
      return -sum_over(y, t,
                       [](double v, double target) { return target * std::log(v) + (1 - target) * std::log(1 - v); });
    case Loss::squared_error:
      return sum_over(y, t, [](double v, double target) { return (target - v) * (target - v) / 2; });
    case Loss::sum_of_squares:
      return sum_over(y, t, [](double v, double target) { return (target - v) * (target - v); });
    case Loss::mean_absolute_error:
      return sum_over(y, t, [](double v, double target) { return std::abs(target - v); }) /
             static_cast<double>(y.size());
    case Loss::gaussian_log_likelihood:
      return sum_over(y, t, [](double v, double target) { return -(target - v) * (target - v) / 2; });
  }
  return std::nan("");
}

struct Case {
  Case(Loss loss, Numbers y, Numbers t) {
    const Shape shape{static_cast<std::int64_t>(y.size())};
    output = graph.input("y", shape);
    target = graph.input("t", shape, of_softmax(loss));
    value = definition_of(loss).build.value(output, target);
    ys = std::move(y);
    ts = std::move(t);
  }
  double evaluated() {
    Reference reference(graph, 1);
    reference.set(output.id(), ys);
    reference.set(target.id(), ts);
    reference.run();
    return reference.value(value.id()).at(0);
  }
  Graph graph;
  Value output, target, value;
  Numbers ys, ts;
};

TEST(Losses, AreWhatTheirFormulasSay) {
  for (const Loss loss : all_losses()) {
    for (const auto& y : {Numbers{0.2, 0.7, 0.4}, Numbers{0.9, 0.05, 0.5}}) {
      const Numbers t{0.1, 0.7, 0.2};
      EXPECT_NEAR(Case(loss, y, t).evaluated(), expected(loss, y, t), 1e-14) << name_of(loss);
    }
  }
}

TEST(Losses, HaveGradientsThatAgreeWithDifferences) {
  for (const Loss loss : all_losses()) {
    Case c(loss, Numbers(4), Numbers(4));
    GradcheckOptions options;
    options.ranges[c.output.id()] = {.low = 0.05, .high = 0.95};
    options.ranges[c.target.id()] = {.low = 0, .high = 1};
    const auto report = check_gradients(c.graph, {{c.value}}, {{c.output}}, options);
    EXPECT_TRUE(report.passed) << name_of(loss) << "\n" << to_string(report);
    EXPECT_GT(report.checks.at(0).largest, 1e-3) << name_of(loss);
  }
}

TEST(Losses, ThatAreMaximisedAreLargestAtTheTarget) {
  const Numbers target{0.25, 0.5, 0.25}, near{0.3, 0.45, 0.25}, far{0.8, 0.1, 0.1};
  for (const Loss loss : all_losses()) {
    const auto value = [&](Numbers y) {
      if (of_softmax(loss)) {
        for (auto& v : y) v = std::log(v);
      }
      return Case(loss, std::move(y), target).evaluated() * (maximised(loss) ? 1 : -1);
    };
    EXPECT_GT(value(target), value(near)) << name_of(loss);
    EXPECT_GT(value(near), value(far)) << name_of(loss);
  }
}

TEST(Losses, RefuseATargetOfAnotherShape) {
  for (const Loss loss : all_losses()) {
    Graph g;
    const Value y = g.input("y", {4}), t = g.input("t", {3});
    try {
      definition_of(loss).build.value(y, t);
      FAIL() << name_of(loss);
    } catch (const ShapeError& e) {
      EXPECT_EQ(std::string(e.what()),
                std::string(stored_name(loss)) + ": a target of 3 does not fit 4; give both the same shape");
    }
  }
}

TEST(Losses, OfEqualNumbersHaveNoAbsoluteSlope) {
  Case c(Loss::mean_absolute_error, {1, 2, 3}, {1, 2, 4});
  const Value dy = differentiate(c.value, c.graph.constant(1), {{c.output}})[0];
  Reference reference(c.graph, 1);
  reference.set(c.output.id(), c.ys);
  reference.set(c.target.id(), c.ts);
  reference.run();
  EXPECT_EQ(reference.value(dy.id()), (Numbers{0, 0, -1.0 / 3}));
}

TEST(Losses, AreFoundByTheirNames) {
  for (const Loss loss : all_losses()) {
    EXPECT_EQ(find_loss(name_of(loss)), loss);
    EXPECT_EQ(find_stored_loss(stored_name(loss)), loss);
    EXPECT_FALSE(definition_of(loss).formula.value.empty());
  }
  EXPECT_EQ(name_of(Loss::mean_absolute_error), "mean-absolute-error");
  EXPECT_EQ(find_loss("mse"), std::nullopt);
}

}  // namespace
}  // namespace chalk
