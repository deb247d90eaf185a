// Runs step by step, after one another, with each optimizer.
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

std::vector<float> all_values(const Network& net, std::string_view parameter) {
  const auto values = net.variables().at(parameter).values();
  return {values.begin(), values.end()};
}

TEST(Train, EveryOptimizerGoesOnToTheSameBitsOnAnyNumberOfThreads) {
  for (const auto name : Optimizer::names()) {
    auto options = quick();
    options.optimizer = Optimizer::named(name);
    options.epochs = 2;
    const auto expected = trained_sha(options, few());
    options.threads = 3;
    options.checkpoint = temporary("optimizer.safetensors");
    options.on_step = [&](const Progress& progress) {
      if (progress.step == 11) request_stop();
    };
    Network net = fresh();
    EXPECT_TRUE(train(net, few(), options).stopped);
    Network again = Network::load(options.checkpoint);
    EXPECT_EQ(checkpoint_options(again).optimizer, options.optimizer) << name;
    options.on_step = nullptr;
    train(again, few(), options);
    EXPECT_EQ(again.weights_sha256(), expected) << name;
    fs::remove(options.checkpoint);
  }
}

TEST(Train, AdagradLeavesAWeightAloneThatNoGradientHasReached) {  // 0 / (√0 + ε), in float
  auto options = quick();
  options.epochs = 1;
  options.optimizer = Adagrad{.epsilon = 1e-30};
  Network net = fresh();
  std::ranges::fill(net.variables().at("dense1.bias").values(), -100.0F);  // none of its ReLUs is ever above 0
  const auto before = all_values(net, "dense1.weight");
  train(net, data().train, options);
  EXPECT_EQ(all_values(net, "dense1.weight"), before);
  options.optimizer = Adagrad{.epsilon = 0};
  EXPECT_EQ(message([&] { train(net, data().train, options); }), "epsilon is 0; it must be a number of at least 1e-30");
}

TEST(Train, AnUnfinishedRunOfAnotherOptimizerIsRefused) {
  auto options = quick();
  Network net = fresh();
  Trainer trainer(net, data().train, options);
  trainer.step();
  options.optimizer = Adagrad{};
  EXPECT_EQ(
      message([&] { train(net, data().train, options); }),
      "the checkpoint was trained with optimizer=sgd, not adagrad; resume with the options it was started with, or "
      "reset Network::training to begin a new run from its weights");
}

TEST(Train, AFinishedRunIsFollowedByANewOneWithAnyOptions) {
  auto options = quick();
  options.epochs = 1;
  Network net = fresh();
  train(net, data().train, options);
  const auto once = net.weights_sha256();
  options.optimizer = Adagrad{};
  options.batch = 20;
  EXPECT_EQ(train(net, data().train, options).last.step, 72);
  EXPECT_NE(net.weights_sha256(), once);
  const auto file = temporary("followed.safetensors");
  net.save(file);
  const Network again = Network::load(file);
  EXPECT_TRUE(again.variables().contains("conv1.weight.sum"));
  EXPECT_FALSE(again.variables().contains("conv1.weight.momentum")) << "what the first optimizer left is not saved";
  fs::remove(file);
}

TEST(Train, AnyNetworkWithoutAnUnfinishedRunBeginsANewOne) {
  const auto options = [](std::int64_t epochs, double lr) {
    auto o = quick();
    o.epochs = epochs;
    o.optimizer = sgd({.lr = lr});
    return o;
  };
  const auto file = temporary("new-run.safetensors");
  auto few = data().train;
  few.labels.resize(200);
  few.bytes.resize(200 * 64);
  const auto trained = [&](const Dataset& on) {
    Network net = fresh();
    train(net, on, options(1, 0.05));
    return net;
  };
  const auto goes = [&](Network net) {
    return message([&] { EXPECT_EQ(train(net, data().train, options(2, 0.005)).last.step, 58); });
  };
  EXPECT_EQ(goes(trained(data().train)), "no error") << "finished";
  EXPECT_EQ(goes(trained(few)), "no error") << "finished, on other data";
  trained(data().train).save(file);
  EXPECT_EQ(goes(Network::load(file)), "no error") << "loaded";
  auto again = trained(data().train);
  again.initialize(7);
  EXPECT_EQ(goes(std::move(again)), "no error") << "re-initialised";
  Network begun = fresh();
  Trainer(begun, data().train, quick());
  EXPECT_EQ(goes(std::move(begun)), "no error") << "no step was taken";
  fs::remove(file);
}

TEST(Train, OfARunThatWasThrownAwayNothingIsLeft) {
  auto options = quick();
  const auto expected = trained_sha(options);
  Network net = fresh();
  Trainer(net, data().train, options).step();
  net.initialize(1);
  train(net, data().train, options);
  EXPECT_EQ(net.weights_sha256(), expected);
}

TEST(Trainer, TakesTheStepsOfTrain) {
  const auto options = quick();
  Network net = fresh();
  Trainer trainer(net, data().train, options);
  std::int64_t steps = 0, epochs = 0;
  while (!trainer.done()) {
    EXPECT_EQ(trainer.step().step, ++steps);
    if (trainer.epoch_ended()) ++epochs;
  }
  EXPECT_EQ(steps, 87);
  EXPECT_EQ(epochs, 3);
  EXPECT_FALSE(trainer.stopped());
  EXPECT_EQ(net.weights_sha256(), trained_sha(options));
  EXPECT_TRUE(net.training->finished());
  EXPECT_THROW(trainer.step(), std::logic_error);
}

TEST(Trainer, OfTwoStopsAlone) {
  Network one = fresh(1), two = fresh(2);
  Trainer first(one, data().train, quick()), second(two, data().train, quick());
  first.step();
  second.step();
  first.stop();
  EXPECT_TRUE(first.done());
  EXPECT_TRUE(first.stopped());
  EXPECT_FALSE(second.done());
}

TEST(Trainer, SavesACheckpointBetweenAnyTwoSteps) {
  const auto options = quick();
  const auto file = temporary("trainer.safetensors");
  Network net = fresh();
  Trainer trainer(net, data().train, options);
  for (int i = 0; i < 40; ++i) trainer.step();
  trainer.save(file);
  Network again = Network::load(file);
  EXPECT_EQ(again.training->step, 40);
  EXPECT_EQ(again.training->options.optimizer, options.optimizer);
  EXPECT_EQ(train(again, data().train, options).last.step, 87);
  EXPECT_EQ(again.weights_sha256(), trained_sha(options));
  fs::remove(file);
}

TEST(Trainer, ACopyAndItsOriginalAreTrainedWithoutNoticingEachOther) {
  const auto options = quick();
  const auto expected = trained_sha(options);
  Network net = fresh();
  Trainer trainer(net, data().train, options);
  for (int i = 0; i < 40; ++i) trainer.step();
  Network copy = net, other = net;
  const auto then = copy.weights_sha256();

  train(copy, data().train, options);
  EXPECT_EQ(copy.weights_sha256(), expected) << "it goes on with the optimizer's state and the record";
  EXPECT_EQ(net.weights_sha256(), then);
  EXPECT_EQ(net.training->step, 40);
  while (!trainer.done()) trainer.step();
  EXPECT_EQ(net.weights_sha256(), expected);
  EXPECT_EQ(other.weights_sha256(), then);
}

TEST(Train, KeepsTheBestEpochInACopy) {
  auto options = quick();
  options.optimizer = sgd({.lr = 0.3, .momentum = 0.9});  // too much: the last epoch is not the best
  Network net = fresh();
  Predictor predictor(net);
  Network best = net;
  double least = 1e30, last = 0;
  options.on_epoch = [&](const Progress&) {
    last = evaluate(net, data().test).loss;
    if (last < least) best = net, least = last;
  };
  train(net, data().train, options);
  EXPECT_LT(least, last);
  EXPECT_EQ(evaluate(best, data().test).loss, least);
  net = best;
  EXPECT_EQ(evaluate(net, data().test).loss, least);

  const Feed sample{
      .bytes = data().test.bytes.data(), .scale = net.encoding.scale.data(), .shift = net.encoding.shift.data()};
  const auto now = predictor(sample);
  const std::vector<float> seen(now.begin(), now.end());
  EXPECT_EQ(seen, predict(best, sample, 1, false)) << "made before the training, it sees the weights that came back";
}

TEST(Train, StopsByAToken) {
  std::stop_source source;
  auto options = quick();
  options.stop = source.get_token();
  options.on_step = [&](const Progress& now) {
    if (now.step == 5) source.request_stop();
  };
  Network net = fresh();
  const auto result = train(net, data().train, options);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.last.step, 5);
}

}  // namespace
}  // namespace chalk
