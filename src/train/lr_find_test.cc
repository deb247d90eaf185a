#include "chalkgrad/lr_find.h"

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "src/base/fields.h"
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

std::vector<double> losses_of(const LrFound& found) {
  std::vector<double> losses;
  for (const auto& trial : found.trials) losses.push_back(trial.loss);
  return losses;
}

TEST(LrFind, GoesThroughItsRatesWhateverAnEpochHas) {
  const Network net = fresh();
  for (const std::int64_t batch : {1, 7, 1438, 5000}) {
    auto options = quick();
    options.batch = batch;
    const auto found = find_lr(net, data().train, options, {.least = 1e-6, .most = 0.1, .steps = 10});
    ASSERT_EQ(found.trials.size(), 10U) << batch;
    for (std::size_t i = 0; i < found.trials.size(); ++i) {
      const double lr = 1e-6 * std::pow(1e5, static_cast<double>(i) / 9);
      EXPECT_NEAR(found.trials[i].lr, lr, 1e-12 * lr) << batch << ": trial " << i;
    }
  }
}

/// Steps of training with a rate that stays as it is.
std::vector<double> losses_of_training(TrainOptions options, std::size_t steps) {
  Network net = fresh();
  options.schedule = ConstantRate{};
  Trainer trainer(net, data().train, options);
  std::vector<double> losses;
  while (losses.size() < steps) losses.push_back(trainer.step().loss);
  return losses;
}

TEST(LrFind, AStepIsWhatItIsInTrainingWithAnyOptimizer) {
  const Network net = fresh();
  for (const auto name : Optimizer::names()) {
    auto options = quick();
    options.optimizer = Optimizer::named(name);
    options.clip_value = 0.05;
    options.clip_norm = 0.1;
    options.l1 = 1e-3;
    options.groups = {{.pattern = "dense1.*", .lr_factor = 0.5}, {.pattern = "conv1.weight", .frozen = true}};
    const double usual = options.optimizer.lr();
    for (const double lr : {1e-4, 0.01}) {
      if (lr == 1e-4 && testing_support::one_in() > 1) continue;
      const double hardly_more = std::nextafter(lr, 1.0);  // ten steps with one rate
      const auto found = find_lr(net, data().train, options, {.least = lr, .most = hardly_more, .steps = 10});
      auto training = options;
      FieldFunction set_rates([&]<class T>(const Field& field, T& value) {
        if constexpr (std::is_same_v<T, double>) {
          if (field.name == "lr") value = lr;
          if (field.name == "adamw_lr") value *= lr / usual;
        }
      });
      training.optimizer = options.optimizer.edited(set_rates);
      ASSERT_GE(found.trials.size(), 3U) << name;
      EXPECT_EQ(losses_of(found), losses_of_training(training, found.trials.size())) << name << ", lr " << lr;
    }
  }
}

/// Options of which the one with that number, in the order of visit(), is another; its name is set.
TrainOptions with_another(std::size_t number, std::string_view& name) {
  std::size_t i = 0;
  FieldFunction change([&]<class T>(const Field& field, T& value) {
    if (i++ != number) return;
    name = field.name;
    if constexpr (std::is_same_v<T, bool>) {
      value = !value;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      value += 1;
    } else if constexpr (std::is_same_v<T, double>) {
      value = value == 0 ? 0.01 : value / 2;
    } else if constexpr (std::is_same_v<T, std::vector<double>>) {
      value.assign(10, 1);
      value[3] = 2;
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = name == "optimizer"   ? "adagrad"
              : name == "groups"    ? "conv*: frozen"
              : name == "average"   ? "ema:0.9"
              : name == "lookahead" ? "2,0.5"
              : name == "augment"   ? "shift:1"
                                    : "step:1,0.5";
    }
  });
  auto options = quick();
  options.visit(change);
  return options;
}

TEST(LrFind, UsesEveryOptionOfTrainingThatIsNotItsOwn) {
  const Network net = fresh();
  const auto losses = [&](const TrainOptions& options) {
    return losses_of(find_lr(net, data().train, options, {.least = 1e-3, .most = 1, .steps = 10}));
  };
  const auto usual = losses(quick());
  constexpr std::array<std::string_view, 7> kItsOwn{"epochs",   "lr",          "schedule", "average",
                                                    "patience", "by_accuracy", "keep_last"};
  std::size_t its_own = 0, used = 0;
  for (std::size_t number = 0;; ++number) {
    std::string_view name;
    const auto options = with_another(number, name);
    if (name.empty()) break;
    const bool own = std::ranges::find(kItsOwn, name) != kItsOwn.end();
    EXPECT_EQ(losses(options) == usual, own) << name;
    ++(own ? its_own : used);
  }
  EXPECT_EQ(its_own, kItsOwn.size());
  EXPECT_GE(used, 15U)
      << "batch, optimizer, four of sgd's, two of the loss, augment, clip_*, groups, l1, lookahead and seed";
}

TEST(LrFind, TakesNoneOfTheStepsThatAreForTrain) {
  const Network net = fresh();
  auto options = quick();
  int called = 0;
  const Dataset none;  // which a run would refuse
  options.validation = &none;
  options.patience = 1;
  options.by_accuracy = true;
  options.on_step = options.on_epoch = [&](const Progress&) { ++called; };
  options.checkpoint = temporary("lr_find.safetensors");
  options.checkpoint_every = 1;
  fs::remove(options.checkpoint);
  const LrFindOptions some{.least = 1e-5, .most = 1e-3, .steps = 70};  // more than two epochs
  EXPECT_EQ(losses_of(find_lr(net, data().train, options, some)), losses_of(find_lr(net, data().train, quick(), some)));
  EXPECT_EQ(called, 0);
  EXPECT_FALSE(fs::exists(options.checkpoint));
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
  const std::string how = " cannot be tried; give two numbers from 1e-30 to 1e+30, of which the second is larger";
  EXPECT_EQ(said({.least = 1, .most = 1}), "rates from 1 to 1" + how);
  EXPECT_EQ(said({.least = 1, .most = 0.5}), "rates from 1 to 0.5" + how);
  EXPECT_EQ(said({.least = 0, .most = 1}), "rates from 0 to 1" + how);
  EXPECT_EQ(said({.least = -1, .most = 1}), "rates from -1 to 1" + how);
  EXPECT_EQ(said({.least = 1e-31, .most = 1}), "rates from 1e-31 to 1" + how);
  EXPECT_EQ(said({.least = 1, .most = 1e31}), "rates from 1 to 1e+31" + how);
  EXPECT_EQ(said({.least = 1, .most = std::numeric_limits<double>::infinity()}), "rates from 1 to inf" + how);
  EXPECT_EQ(said({.least = 1, .most = std::numeric_limits<double>::quiet_NaN()}), "rates from 1 to nan" + how);
  EXPECT_EQ(said({.least = 1e-30, .most = 1e30, .steps = 10}), "no error");
  EXPECT_EQ(said({.steps = 9}), "steps is 9; it must be from 10 to 1000000");
  auto wrong = quick();
  wrong.batch = 0;
  EXPECT_EQ(message([&] { (void)find_lr(net, data().train, wrong); }), "batch is 0; it must be from 1 to 16777216");
  wrong = quick();
  wrong.optimizer = Muon{.lr = 0};
  EXPECT_EQ(message([&] { (void)find_lr(net, data().train, wrong); }), "lr is 0; it must be a number above 0");
}

}  // namespace
}  // namespace chalk
