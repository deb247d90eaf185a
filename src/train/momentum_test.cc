// Schedules that move the momentum.
#include "src/optimizers/optimizer.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

TEST(Train, AScheduleMovesTheMomentumOnlyIfAsked) {
  auto options = quick();
  options.schedule = OneCycleCosine{};
  const auto still = trained_sha(options, few());
  options.optimizer = sgd({.lr = 0.05, .momentum = 0.5});
  EXPECT_NE(trained_sha(options, few()), still);
  options.schedule = OneCycleCosine{.momentum_low = 0.9, .momentum_high = 0.9};
  EXPECT_EQ(trained_sha(options, few()), still) << "moved to where it was";
  options.optimizer = sgd({.lr = 0.05, .momentum = 0});
  EXPECT_EQ(trained_sha(options, few()), still) << "switched on, when asked";
  options.schedule = OneCycleCosine{.momentum_low = 0.85, .momentum_high = 0.95};
  EXPECT_NE(trained_sha(options, few()), still);
  options.optimizer = Adagrad{};
  EXPECT_EQ(message([&] { trained_sha(options, few()); }),
            "the schedule moves the momentum, which the optimizer adagrad does not have; leave out momentum_low and "
            "momentum_high");
}

/// The optimizer with that value of the option that a schedule may move.
Optimizer with_momentum(const Optimizer& optimizer, double momentum) {
  FieldFunction set([&]<class T>(const Field& field, T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (field.name == definition_of(optimizer).momentum.value) value = momentum;
    }
  });
  return optimizer.edited(set);
}

TEST(Train, MovesTheMomentumOfEveryOptimizerThatHasOne) {
  int moved = 0;
  auto options = quick();
  options.epochs = 1;
  for (const auto name : Optimizer::names()) {
    const auto optimizer = Optimizer::named(name);
    if (definition_of(optimizer).momentum.value.empty()) continue;
    ++moved;
    options.optimizer = with_momentum(optimizer, 0.75);
    options.schedule = OneCycleCosine{};
    const auto still = trained_sha(options, few());
    options.optimizer = optimizer;
    options.schedule = OneCycleCosine{.momentum_low = 0.75, .momentum_high = 0.75};
    EXPECT_EQ(trained_sha(options, few()), still) << name << ", moved to where it was";
    options.schedule = OneCycleCosine{.momentum_low = 0.6, .momentum_high = 0.75};
    const auto cycled = trained_sha(options, few());
    EXPECT_NE(cycled, still) << name;
    options.threads = 3;
    options.checkpoint = temporary("cycled.safetensors");
    options.on_step = [](const Progress& progress) {
      if (progress.step == 3) request_stop();
    };
    Network net = fresh();
    train(net, few(), options);
    Network again = Network::load(options.checkpoint);
    options.on_step = nullptr;
    train(again, few(), options);
    EXPECT_EQ(again.weights_sha256(), cycled) << name << ", after a resume";
    fs::remove(options.checkpoint);
    options.checkpoint.clear();
    options.threads = 2;
  }
  EXPECT_EQ(moved, 9);
}

}  // namespace
}  // namespace chalk
