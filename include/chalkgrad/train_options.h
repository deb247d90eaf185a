// How a network is trained, and how far that has come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "chalkgrad/augmentation.h"
#include "chalkgrad/average.h"
#include "chalkgrad/compile_options.h"
#include "chalkgrad/lookahead.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/optimizer.h"
#include "chalkgrad/parameter_group.h"
#include "chalkgrad/schedule.h"

namespace chalk {

struct Dataset;

/// The loss of one of several outputs.
struct OutputProgress {
  std::string name;
  double loss = 0;       ///< of the last step
  double mean_loss = 0;  ///< over this epoch so far
};

/// Where a training run is between two steps.
struct Progress {
  std::int64_t epoch = 0;  ///< 0 … epochs − 1
  std::int64_t step = 0;   ///< steps done, of
  std::int64_t steps = 0;
  std::int64_t samples = 0;  ///< samples done in this epoch, of
  std::int64_t epoch_samples = 0;
  double loss = 0;                              ///< of the last step (of a likelihood: its value, which grows); of
                                                ///< several outputs Σ weight · loss
  double mean_loss = 0;                         ///< over this epoch so far; of batches, weighted by their samples
  double accuracy = 0;                          ///< over this epoch so far (classification), before each update
  double lr = 0;                                ///< of the last step
  double gradient_norm = 0;                     ///< of the last step, before clip_norm limited it; 0 without that
  std::optional<double> validation_loss{};      ///< on the validation data, at the end of the last epoch that this
  std::optional<double> validation_accuracy{};  ///< Trainer completed; accuracy: of classification
  std::int64_t best_epoch = -1;                 ///< the epoch that was best on them so far; −1: none
  double seconds = 0;                           ///< since this Trainer was made, or train() was called
  double step_seconds = 0;                      ///< of these, for steps; the others were for what is between them
  double waited_seconds = 0;  ///< of those, for samples that are not in memory and were not ready; mean of the threads
  std::int64_t replaced = 0;  ///< samples that could no longer be read (TrainOptions::skip_bad)
  std::vector<OutputProgress> outputs{};  ///< that are trained, if they are several: their own losses
};

struct TrainOptions {
  std::int64_t epochs = 10;  ///< 1 … 1,000,000
  std::int64_t batch = 64;   ///< samples per step, 1 … 2^24
  Optimizer optimizer{};
  Schedule schedule{};
  Augmentations augment{};  ///< what is done to the samples, which must be pictures then, while it is trained on them
  double clip_value = 0;    ///< > 0: each element of a gradient is limited to ±clip_value; 0: no limit
  double clip_norm = 0;  ///< > 0: then all gradients are multiplied by min(1, clip_norm / (‖g‖ + 10⁻⁶)), with the norm
                         ///< over all trained parameters (torch.nn.utils.clip_grad_norm_); 0: no limit. A norm that is
                         ///< not finite ends the run. Both come before the optimizer, which adds weight decay
  double l1 = 0;  ///< adds l1 · sign(w) to the gradient of each weight w, after the limits, not of biases nor scales
  std::vector<ParameterGroup> groups{};  ///< parameters with another rate or weight decay, or none: frozen ones
  Lookahead lookahead{};                 ///< slow weights, which are then the network's
  Average average{};  ///< of the weights; they are then the network's, and those that are trained are beside them
  Loss loss = Loss::cross_entropy;
  std::uint64_t seed = 1;               ///< order of the samples, below 2^63 (parameters: Network::initialize)
  int threads = 0;                      ///< 0: one per core; never changes a bit of the result
  const Dataset* validation = nullptr;  ///< judges each epoch; must outlive the run, like the data. Null: none
  std::int64_t patience =
      0;                     ///< ends the run after so many epochs in a row that are not better than the best; 0: never
  bool by_accuracy = false;  ///< the best epoch is that of the highest accuracy, not of the best loss
  bool keep_last = false;    ///< in the end, the weights stay those of the last epoch instead of the best one's
  bool skip_bad = false;     ///< a sample that is not in memory and can no longer be read is replaced by the next one
                             ///< that can, with its target, where that would be an error
  std::filesystem::path checkpoint{};  ///< empty: none. Written after the first step, after every epoch, at the end,
  std::int64_t checkpoint_every = 0;   ///< and, if > 0, every so many steps
  std::stop_token stop{};              ///< train() stops after the step in which a stop is requested
  std::function<void(const Progress&)> on_step{}, on_epoch{};
  std::function<void(const std::string& why)> on_replaced{};  ///< of each sample for which skip_bad found another
  CompileOptions compile{};

  /// Shows what decides the result, except which loss it is and the data, by name, range and sentence: epochs, batch,
  /// optimizer and its options, options of the loss, schedule, augment, lookahead, average, seed, patience,
  /// by_accuracy, keep_last. The command line, TOML, model files, the log and the documentation follow from it.
  void visit(FieldVisitor& v);
};

/// The epoch that was best on the validation data.
struct BestEpoch {
  std::int64_t epoch = -1;  ///< 0, 1, …; −1: none yet
  double loss = 0, accuracy = 0;
  bool operator==(const BestEpoch&) const = default;
};

/// How a network has been trained and how far that has come: what train() needs to continue to the same bits.
struct TrainingRecord {
  TrainOptions options{};           ///< those that visit() shows, and the loss; the others have their defaults
  std::string data;                 ///< Dataset::name
  std::string digest;               ///< Dataset::digest(), which says what data they are; older files have none
  std::int64_t samples = 1;         ///< its size
  std::int64_t step = 0;            ///< steps done
  double loss_sum = 0;              ///< of this epoch: Σ loss · samples,
  std::vector<double> loss_sums{};  ///< the same of each output that is trained, if they are several,
  double correct = 0;               ///< and correctly classified samples
  Observed observed{};              ///< what the schedule has seen of the epochs before
  std::string validation;           ///< Dataset::digest() of the validation data; empty: there are none
  BestEpoch best{};                 ///< so far
  bool diverged = false;            ///< ended by a loss or weights that are not finite
  std::vector<std::string> states;  ///< which of Network::variables() are the optimizer's: saved with the network

  std::int64_t steps_per_epoch() const { return (samples + options.batch - 1) / options.batch; }
  std::int64_t steps() const { return steps_per_epoch() * options.epochs; }
  /// Whether patience is at its end: so many epochs, the last of which has just ended, were not better than the best.
  bool stopped_early() const;
  bool finished() const { return step >= steps() || stopped_early(); }
  /// Whether a Trainer goes on with it: some of its steps are done but not all, and it has not diverged.
  bool unfinished() const { return step > 0 && !finished() && !diverged; }
  /// As model files hold it: see docs/formats.md.
  std::map<std::string, std::string> metadata() const;
};

}  // namespace chalk
