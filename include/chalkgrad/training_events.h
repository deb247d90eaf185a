// A training run in TensorBoard: its numbers, its weights, and a picture of its first filters.
//
//   TrainingEvents events("runs/first", network, data);
//   options.on_step = [&](const Progress& now) { events.step(now); };
//   options.on_epoch = [&](const Progress& now) { events.epoch(now); };
//   train(network, data, options);
//
// then: tensorboard --logdir runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/image.h"
#include "chalkgrad/network.h"
#include "chalkgrad/tensorboard.h"

namespace chalk {

struct Dataset;

/// A number that a run tells of itself.
struct Measure {
  std::string name;             ///< in the log: "train_loss"
  std::string tag;              ///< in TensorBoard: "loss/train"
  std::optional<double> value;  ///< nothing: it was not measured
};

/// How good a network is on samples that it has not learned from.
struct Judged {
  std::string on = "validation";  ///< or "test"
  std::optional<double> loss{}, accuracy{};
};

/// Of a step: "loss" (tag "loss/step"), "lr", with clip_norm "gradient_norm", and of several outputs the loss of each,
/// "loss.early" ("loss/step/early").
std::vector<Measure> step_measures(const Progress& now, const TrainOptions& options);
/// Of an epoch: "train_loss" (tag "loss/train"), "test_loss" ("loss/test") or the same of "validation"; if `labels`
/// says that the data have some, "train_accuracy" ("accuracy/train") and "test_accuracy" ("accuracy/test"), too; and of
/// several outputs "train_loss.early" ("loss/train/early").
std::vector<Measure> epoch_measures(const Progress& now, bool labels, const Judged& judged);

/// The filters of the first convolution, or nothing if the network has none: one beside the other, 0 in middle grey,
/// the weight that is largest by amount in black or white. Filters of three channels are in colour; otherwise there is
/// a row for each filter, with a picture for each channel, unless there is but one. At most 256 filters of 16 channels
/// are shown.
std::optional<Image> filters_image(const Network& network);

/// Tells an EventWriter of a run: its measures, after each step and epoch; after each epoch also a histogram of each
/// parameter ("weights/conv1.weight") and filters_image() ("filters"); with the first step, a table of what the run was
/// started with ("run"). Steps count from 1, and an epoch is told at its last step.
///
/// A run that goes on says so, so that TensorBoard forgets what it did after its checkpoint before. A new one needs a
/// folder without events: see holds_events().
class TrainingEvents {
 public:
  /// The network, whose record is that of the run, must outlive it. Nothing is written before the first step.
  TrainingEvents(std::filesystem::path folder, const Network& network, const Dataset& data);

  /// Both throw what EventWriter does.
  void step(const Progress& now);
  /// Without `judged`, what the Trainer found on its validation data, if it has any.
  void epoch(const Progress& now, const std::optional<Judged>& judged = {});
  /// Makes sure that all is written.
  void flush();

 private:
  void tell(const std::vector<Measure>& measures, std::int64_t step);
  std::string description() const;

  std::filesystem::path folder_;
  const Network* network_;
  std::string data_;  // what they are called, and how many
  bool labels_;
  std::optional<EventWriter> writer_;
};

}  // namespace chalk
