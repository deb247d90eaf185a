// Validation: which epoch is the best, when a run stops early, and that neither depends on interruptions.
#include "src/train/validation.h"

#include <algorithm>

#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

const Split& parts() {
  static const Split split = hold_out(data().train, 0.2);
  return split;
}

/// A rate at which some epochs are worse than the one before.
TrainOptions judged() {
  auto options = quick();
  options.epochs = 8;
  options.optimizer = sgd({.lr = 0.2});
  options.validation = &parts().test;
  return options;
}

/// What the epochs of a run were like.
struct Seen {
  std::vector<std::string> weights{};
  std::vector<double> losses{}, accuracies{};
  TrainResult result{};
  Network network;
};

Seen run(TrainOptions options, Network net = fresh()) {
  Seen seen{.network = std::move(net)};
  options.on_epoch = [&](const Progress& now) {
    seen.weights.push_back(seen.network.weights_sha256());
    seen.losses.push_back(now.validation_loss.value());
    seen.accuracies.push_back(now.validation_accuracy.value());
  };
  seen.result = train(seen.network, parts().train, options);
  return seen;
}

std::size_t least(const std::vector<double>& losses) {
  return static_cast<std::size_t>(std::ranges::min_element(losses) - losses.begin());
}

TEST(Validation, KeepsTheWeightsOfTheBestEpoch) {
  const auto seen = run(judged());
  const auto best = least(seen.losses);
  ASSERT_EQ(seen.losses.size(), 8U);
  ASSERT_NE(best, 7U) << "the test would show nothing";
  EXPECT_EQ(seen.network.weights_sha256(), seen.weights[best]);
  const auto& record = *seen.network.training;
  EXPECT_EQ(record.best.epoch, static_cast<std::int64_t>(best));
  EXPECT_EQ(record.best.loss, seen.losses[best]);
  EXPECT_EQ(record.best.accuracy, seen.accuracies[best]);
  EXPECT_EQ(seen.result.last.best_epoch, record.best.epoch);
  EXPECT_TRUE(record.finished());
  Network copy = seen.network;
  EXPECT_EQ(evaluate(copy, parts().test).loss, record.best.loss);
}

// What is compiled once sees every change of the weights and of running statistics, also one from outside.
TEST(Validation, MeasuresEachEpochAsEvaluateDoes) {
  Network net = network("6c3-bn-relu-mp2-20n-relu-10n", data().train.sample);
  auto options = judged();
  int epochs = 0;
  options.on_epoch = [&](const Progress& now) {
    const auto found = evaluate(net, parts().test, 1);
    EXPECT_EQ(now.validation_loss.value(), found.loss) << now.epoch;
    EXPECT_EQ(now.validation_accuracy.value(), found.accuracy) << now.epoch;
    if (++epochs == 3) net.variables().at("dense1.weight").values()[0] += 1;
  };
  train(net, parts().train, options);
  EXPECT_EQ(epochs, 8);
}

TEST(Validation, ChangesNoBitOfTheTraining) {
  auto options = judged();
  const auto kept = run(options);
  options.keep_last = true;
  const auto last = run(options);
  EXPECT_EQ(kept.weights, last.weights);
  EXPECT_EQ(last.network.weights_sha256(), last.weights.back());
  EXPECT_EQ(last.network.training->best, kept.network.training->best);
  Network without = fresh();
  options.validation = nullptr;
  options.keep_last = false;
  train(without, parts().train, options);
  EXPECT_EQ(without.weights_sha256(), last.weights.back());
}

TEST(Validation, BestMayMeanTheMostAccurate) {
  auto options = judged();
  options.by_accuracy = true;
  const auto seen = run(options);
  const auto best = std::ranges::max_element(seen.accuracies) - seen.accuracies.begin();
  EXPECT_EQ(seen.network.training->best.epoch, best) << "the first of several that are alike";
  EXPECT_EQ(seen.network.weights_sha256(), seen.weights[static_cast<std::size_t>(best)]);
}

TEST(Validation, OfALikelihoodTheLargestIsBest) {
  auto options = judged();
  options.loss = Loss::log_likelihood;
  const auto seen = run(options);
  EXPECT_EQ(seen.network.training->best.epoch, std::ranges::max_element(seen.losses) - seen.losses.begin());
}

TEST(Validation, PatienceEndsTheRun) {
  auto options = judged();
  options.epochs = 50;
  options.patience = 2;
  const auto seen = run(options);
  const auto best = least(seen.losses);
  EXPECT_EQ(seen.losses.size(), best + 3);
  EXPECT_TRUE(seen.result.stopped_early);
  EXPECT_FALSE(seen.result.stopped);
  EXPECT_TRUE(seen.network.training->finished());
  EXPECT_EQ(seen.network.weights_sha256(), seen.weights[best]);
  for (std::size_t i = 1; i <= best; ++i) {
    const auto before = seen.losses.begin() + static_cast<std::ptrdiff_t>(i);
    EXPECT_LT(i - least({seen.losses.begin(), before}), 3U) << "it would have stopped before epoch " << i;
  }
}

TEST(Validation, AnInterruptedRunDecidesTheSame) {
  auto options = judged();
  options.epochs = 50;
  options.patience = 2;
  options.schedule = Schedule::parse("plateau:0,factor=0.5,threshold=0.1");
  const auto expected = run(options);
  const auto per_epoch = expected.network.training->steps_per_epoch();
  options.checkpoint = temporary("validation.safetensors");
  for (const auto stop :
       {std::int64_t{3}, per_epoch, 2 * per_epoch + 1, 3 * per_epoch, expected.result.last.step - 1}) {
    options.on_step = [&](const Progress& now) {
      if (now.step == stop) request_stop();
    };
    Network net = fresh();
    EXPECT_TRUE(train(net, parts().train, options).stopped);
    options.on_step = nullptr;
    Network again = Network::load(options.checkpoint);
    EXPECT_TRUE(again.training->unfinished());
    const auto result = train(again, parts().train, options);
    EXPECT_EQ(result.last.step, expected.result.last.step);
    EXPECT_EQ(again.weights_sha256(), expected.network.weights_sha256()) << "stopped after step " << stop;
    EXPECT_EQ(again.training->metadata(), expected.network.training->metadata());
    const auto finished = Network::load(options.checkpoint);
    EXPECT_EQ(finished.weights_sha256(), expected.network.weights_sha256());
    for (const auto& [name, tensor] : finished.variables().all()) EXPECT_FALSE(name.ends_with(".best")) << name;
  }
  fs::remove(options.checkpoint);
}

TEST(Validation, APlateauIsOneOfTheValidationLoss) {
  auto options = judged();
  options.schedule = Schedule::parse("plateau:0,factor=0.5");
  std::vector<double> rates;
  Observed seen;
  options.on_epoch = [&](const Progress& now) {
    EXPECT_EQ(now.lr, 0.2 * options.schedule.factor(0, 1, 1, seen));
    seen = options.schedule.observe(seen, now.validation_loss.value(), false);
  };
  Network net = fresh();
  train(net, parts().train, options);
  EXPECT_GT(seen.reductions, 0);
  EXPECT_EQ(net.training->observed, seen);
}

TEST(Validation, ATrainerKeepsTheBestWhenItIsAsked) {
  const auto options = judged();
  Network net = fresh();
  Trainer trainer(net, parts().train, options);
  while (!trainer.done()) trainer.step();
  EXPECT_NE(evaluate(net, parts().test).loss, net.training->best.loss);
  trainer.keep_best();
  EXPECT_EQ(evaluate(net, parts().test).loss, net.training->best.loss);
  trainer.keep_best();
  EXPECT_EQ(evaluate(net, parts().test).loss, net.training->best.loss);
}

TEST(Validation, SaysWhatDoesNotFit) {
  Network net = fresh();
  const auto said = [&](auto change) {
    auto options = judged();
    change(options);
    return message([&] { Trainer(net, parts().train, options); });
  };
  EXPECT_EQ(said([](auto& o) { o.validation = nullptr, o.patience = 1; }),
            "patience needs validation data; give some, or leave it out");
  EXPECT_EQ(said([](auto& o) { o.validation = nullptr, o.by_accuracy = true; }),
            "by_accuracy needs validation data; give some, or leave it out");
  EXPECT_EQ(said([](auto& o) { o.validation = nullptr, o.keep_last = true; }),
            "keep_last needs validation data; give some, or leave it out");
  EXPECT_EQ(said([](auto& o) { o.patience = -1; }), "patience is -1; it must be from 0 to 1000000");
  Dataset targets = parts().test;
  targets.labels.clear();
  targets.target = {10};
  targets.targets.assign(10 * parts().test.size(), 0.0F);
  EXPECT_EQ(said([&](auto& o) { o.validation = &targets; }),
            "validation data \"digits\" have targets, the training data labels; give data of the same kind");

  Trainer(net, parts().train, judged()).step();
  EXPECT_EQ(said([](auto& o) { o.validation = nullptr; }),
            "the checkpoint was validated on some samples, not on none; resume with the validation data it was started "
            "with, or begin a new run from its weights");
  EXPECT_EQ(said([](auto& o) { o.validation = &data().test; }),
            "the checkpoint was validated on other samples than these; resume with the validation data it was started "
            "with, or begin "
            "a new run from its weights");
  EXPECT_EQ(said([](auto& o) { o.patience = 3; }),
            "the checkpoint was trained with patience=0, not 3; resume with the options it was started with, or reset "
            "Network::training to begin a new run from its weights");
}

}  // namespace
}  // namespace chalk
