// Which learning rates a network can be trained with: the range test.
#pragma once

#include <cstdint>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/fields.h"
#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

struct LrFindOptions {
  double least = 1e-6;       ///< rate of the first step, 10⁻³⁰ … 10³⁰
  double most = 10;          ///< rate of the last one, least < most <= 10³⁰
  std::int64_t steps = 200;  ///< 10 … 1,000,000

  /// What `least` and `most` take.
  static Range rates() { return Range::from_to(1e-30, 1e30); }
};

/// One step of the test.
struct LrTrial {
  double lr = 0;      ///< Optimizer::lr(); others that the optimizer has grow with it
  double loss = 0;    ///< of its batch, before the step (of a likelihood: its value)
  double smooth = 0;  ///< mean of the losses so far with weights 0.95ᵏ, the last one's k = 0
};

struct LrFound {
  std::vector<LrTrial> trials;
  bool diverged = false;  ///< the loss had grown so much, or was not finite, that the larger rates were not tried
  double steepest = 0;  ///< where the smooth loss fell fastest for the same factor of the rate; 0: it never fell by 1 %
  double lowest = 0;    ///< where it was lowest
  double suggested() const;  ///< lowest / 10; 0 if the loss never fell
};

/// The learning-rate range test (Smith 2015, section 3.3), with rates that grow by the same factor at each step, as in
/// fastai and Lightning: takes steps of training with lr = least · (most / least)^(i / (steps − 1)), i = 0, 1, …, until
/// the smooth loss is four times as far from 0 as the best one so far. A step is what it is in training with all of the
/// options in `training`, groups, limits of gradients and l1 included, except that the optimizer is that of
/// optimizer.with_lr(lr), and that these options are not used: epochs, schedule, validation and what needs it
/// (patience, by_accuracy, keep_last), and checkpoint, checkpoint_every, stop and the callbacks, which are for train().
/// So train with training.optimizer.with_lr(found.suggested()). The network stays as it is. Throws InputError for
/// options out of range, and what a Trainer's constructor throws.
LrFound find_lr(const Network& network, const Dataset& data, const TrainOptions& training = {},
                const LrFindOptions& options = {});

}  // namespace chalk
