#include "chalkgrad/lr_find.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/losses/loss.h"
#include "src/train/decisive.h"

namespace chalk {
namespace {

constexpr double kSmoothing = 0.95;
constexpr double kGrowth = 4;   // of the loss, that ends the test
constexpr double kFall = 0.01;  // of the loss, less than which is none

void check(const LrFindOptions& o) {
  const auto range = LrFindOptions::rates();
  if (!range.contains(o.least) || !range.contains(o.most) || o.least >= o.most) {
    throw InputError(str("rates from ", o.least, " to ", o.most, " cannot be tried; give two numbers ", range.text(),
                         ", of which the second is larger"));
  }
  if (o.steps < 10 || o.steps > 1'000'000)
    throw InputError(str("steps is ", o.steps, "; it must be from 10 to 1000000"));
}

/// The options of a run whose rates grow by the same factor at each step.
TrainOptions growing(const TrainOptions& training, const LrFindOptions& o, std::int64_t samples) {
  training.optimizer.check();
  TrainOptions options = decisive(training);
  options.threads = training.threads;
  options.compile = training.compile;
  options.patience = 0;  // there are no validation data
  options.by_accuracy = options.keep_last = false;
  options.average = {};  // which changes no loss of a step
  options.optimizer = training.optimizer.with_lr(o.least);
  const auto batch = std::max<std::int64_t>(1, options.batch);  // one that is out of range a Trainer refuses
  const auto per_epoch = (samples + batch - 1) / batch;
  options.epochs = (o.steps + per_epoch - 1) / per_epoch;
  options.schedule = ExponentialDecay{.factor = o.most / o.least,
                                      .epochs = static_cast<double>(o.steps - 1) / static_cast<double>(per_epoch)};
  return options;
}

/// Where the curve falls fastest: over a tenth of the trials to either side, so that no single batch decides.
double steepest_of(const std::vector<LrTrial>& trials, double sign) {
  const auto reach = std::max<std::size_t>(1, trials.size() / 20);
  double fastest = 0, lr = 0;
  for (std::size_t i = reach; i + reach < trials.size(); ++i) {
    const double fall = sign * (trials[i - reach].smooth - trials[i + reach].smooth);
    if (fall > fastest) fastest = fall, lr = trials[i].lr;
  }
  return lr;
}

}  // namespace

double LrFound::suggested() const { return steepest == 0 ? 0 : lowest / 10; }

LrFound find_lr(const Network& network, const Dataset& data, const TrainOptions& training,
                const LrFindOptions& options) {
  check(options);
  Network copy = network;
  copy.training.reset();
  const auto samples = static_cast<std::int64_t>(data.size());
  Trainer trainer(copy, data, growing(training, options, std::max<std::int64_t>(1, samples)));
  const double sign = maximised(training.loss) ? -1 : 1;
  LrFound found;
  double sum = 0, weight = 0, first = 0, best = 0;
  try {
    while (!found.diverged && std::ssize(found.trials) < options.steps) {
      const Progress& now = trainer.step();
      sum = kSmoothing * sum + now.loss;
      weight = kSmoothing * weight + 1;
      const double smooth = sum / weight;
      found.trials.push_back({.lr = now.lr, .loss = now.loss, .smooth = smooth});
      if (found.trials.size() == 1) first = smooth;
      if (found.trials.size() == 1 || sign * smooth < sign * best) best = smooth, found.lowest = now.lr;
      found.diverged = sign * smooth > sign * best + (kGrowth - 1) * std::abs(best);
    }
  } catch (const NumericError&) {
    found.diverged = true;
  }
  if (sign * best < sign * first - kFall * std::abs(first)) found.steepest = steepest_of(found.trials, sign);
  return found;
}

}  // namespace chalk
