// Training.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chalkgrad/data.h"
#include "chalkgrad/evaluate.h"
#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// A training run, step by step:
///
///   Trainer trainer(network, data, options);
///   while (!trainer.done()) trainer.step();
///
/// Network and data must outlive it. The network holds the run's record (Network::training) at any time, so whenever it
/// is saved between two steps, the run can go on from that file.
class Trainer {
 public:
  /// If the network's record is of an unfinished run, goes on from there, to the same bits as if it had never been
  /// interrupted; options and data must then be those of that run (InputError else). Otherwise a new run begins, from
  /// the weights that the network has. Of the options, `checkpoint` and `checkpoint_every`, `stop`, `on_step` and
  /// `on_epoch` are train()'s. Throws InputError for options out of range and data that the loss cannot take,
  /// ShapeError for data that do not fit the network.
  Trainer(Network& network, const Dataset& data, const TrainOptions& options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Trains on one batch. Allocates nothing. A loss that is not finite throws NumericError naming the step and the
  /// first layer whose value is not, or the output that has no logarithm; the weights are then as before the step.
  /// Throws std::logic_error if done().
  const Progress& step();
  const Progress& progress() const;
  /// The step before was the last of its epoch.
  bool epoch_ended() const;
  /// All steps are done, or stop() was called.
  bool done() const;
  /// Makes done() true, once the step that is being taken has ended. From any thread, and from a signal handler.
  void stop() noexcept;
  bool stopped() const;
  /// Saves the network with its record: a checkpoint. Throws InputError.
  void save(const std::filesystem::path& file) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TrainResult {
  Progress last;
  bool stopped = false;  ///< before the end; the checkpoint, if any, is of that moment
};

/// Trains the network in place: a Trainer's steps, with the callbacks and checkpoints that the options ask for. on_step
/// comes before the step's checkpoint is written, on_epoch after it.
TrainResult train(Network& network, const Dataset& data, const TrainOptions& options = {});

/// Options that a checkpoint was written with; throws InputError if the network has no record.
TrainOptions checkpoint_options(const Network& network);

/// What the network was trained with, if it has a record.
std::optional<Loss> trained_loss(const Network& network);
/// That, or what its configuration says; else cross-entropy if its output is a vector, as a classifier's is, or squared
/// error.
Loss natural_loss(const Network& network);
/// The graph of a training step with that loss and plain SGD, for a look at what it costs: train() builds its own.
Graph training_step(const Network& network);

/// What a configuration says besides options; what it leaves out is empty.
struct TrainConfig {
  std::optional<std::string> data;  ///< "digits", "mnist:FOLDER"
  std::optional<Loss> loss;         ///< also among the options
};
/// Sets the options that the table [train] of a network's TOML has (see docs/networks.md); none if there is no such
/// table, or if the text is a chain. Throws InputError "ORIGIN: line 3, column 7: …".
TrainConfig read_train_config(std::string_view text, std::string_view origin, TrainOptions& options);

/// Asks every train() that is running to stop after its present step. Safe in a signal handler. For one of several, use
/// TrainOptions::stop or a Trainer.
void request_stop() noexcept;

}  // namespace chalk
