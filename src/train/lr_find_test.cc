#include "chalkgrad/lr_find.h"

#include <cmath>

#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

TEST(LrFind, TriesRatesThatGrowByTheSameFactor) {
  const Network net = fresh();
  const auto found = find_lr(net, data().train, quick(), {.least = 1e-5, .most = 1e-2, .steps = 61});
  ASSERT_EQ(found.trials.size(), 61U);
  EXPECT_FALSE(found.diverged);
  EXPECT_EQ(found.trials.front().lr, 1e-5);
  for (std::size_t i = 1; i < found.trials.size(); ++i)
    EXPECT_NEAR(found.trials[i].lr / found.trials[i - 1].lr, std::pow(1e3, 1.0 / 60), 1e-12);
  EXPECT_NEAR(found.trials.back().lr, 1e-2, 1e-14);
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    sum += found.trials[i].loss * std::pow(0.95, 9.0 - static_cast<double>(i));
    weights += std::pow(0.95, 9.0 - static_cast<double>(i));
  }
  EXPECT_NEAR(found.trials[9].smooth, sum / weights, 1e-12);
}

TEST(LrFind, SuggestsARateThatLearnsAndLeavesTheNetworkAlone) {
  const Network net = fresh();
  const auto before = net.weights_sha256();
  const auto found = find_lr(net, data().train, quick());
  EXPECT_GT(found.suggested(), 1e-3);
  EXPECT_EQ(found.suggested(), found.lowest / 10);
  EXPECT_GT(found.steepest, 0);
  EXPECT_LT(found.steepest, found.lowest);
  EXPECT_EQ(net.weights_sha256(), before) << "the network stays as it is";
  EXPECT_FALSE(net.training);
  auto options = quick();
  options.optimizer = sgd({.lr = found.suggested()});
  Network trained = fresh();
  train(trained, data().train, options);
  EXPECT_GT(evaluate(trained, data().test).accuracy, 0.9) << "lr " << found.suggested();
}

TEST(LrFind, EndsWhereTheLossExplodes) {
  const Network net = fresh();
  auto options = quick();
  options.loss = Loss::squared_error;
  const auto found = find_lr(net, data().train, options);
  EXPECT_TRUE(found.diverged);
  ASSERT_LT(found.trials.size(), 200U);
  double best = found.trials.front().smooth;
  for (const auto& trial : found.trials) {
    EXPECT_EQ(trial.smooth > 4 * best, &trial == &found.trials.back());
    best = std::min(best, trial.smooth);
  }
}

TEST(LrFind, IsTheSameForALikelihoodTurnedUpsideDown) {
  const Network net = fresh();
  auto options = quick();
  const auto down = find_lr(net, data().train, options);
  options.loss = Loss::log_likelihood;
  const auto up = find_lr(net, data().train, options);
  EXPECT_EQ(up.suggested(), down.suggested());
  EXPECT_EQ(up.trials.back().loss, -down.trials.back().loss);
}

TEST(LrFind, SuggestsNothingWhereNothingFalls) {
  const Network net = fresh();
  auto options = quick();
  options.batch = 1438;  // the same loss at each step
  const auto found = find_lr(net, data().train, options, {.least = 1e-30, .most = 1e-29, .steps = 10});
  EXPECT_EQ(found.suggested(), 0);
}

TEST(LrFind, SaysWhatIsOutOfRange) {
  const Network net = fresh();
  const auto said = [&](const LrFindOptions& o) {
    return message([&] { (void)find_lr(net, data().train, quick(), o); });
  };
  EXPECT_EQ(said({.least = 1, .most = 1}), "rates from 1 to 1 cannot be tried; give two numbers above 0 that grow");
  EXPECT_EQ(said({.least = 0, .most = 1}), "rates from 0 to 1 cannot be tried; give two numbers above 0 that grow");
  EXPECT_EQ(said({.steps = 9}), "steps is 9; it must be from 10 to 1000000");
}

}  // namespace
}  // namespace chalk
