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
#include "chalkgrad/splits.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// A training run, step by step:
///
///   Trainer trainer(network, data, options);
///   while (!trainer.done()) trainer.step();
///
/// Network and data must outlive it. The network always holds the run's record (Network::training), so if it is saved
/// between any two steps, the run can continue from that file.
class Trainer {
 public:
  /// If the network's record is of an unfinished run (some of its steps are done but not all, and it has not
  /// diverged), continues it, to the same bits as if it had never been interrupted; options and data must then be those
  /// of that run (otherwise InputError). Data are the same if their digests are, wherever they come from. If it is not
  /// unfinished, or if there is no record, as after Network::initialize() or training.reset(), a new run begins from
  /// the network's present weights, with any options and data. The options `checkpoint`, `checkpoint_every`, `stop`,
  /// `on_step` and `on_epoch` are for train() and are ignored here. Throws InputError for options out of range and for
  /// data the loss cannot take, ShapeError for data that do not fit the network.
  Trainer(Network& network, const Dataset& data, const TrainOptions& options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Trains on one batch. Allocates nothing, except where an epoch ends that is judged on validation data, or after
  /// which running statistics are measured anew (Swa). If the loss is not finite, throws NumericError naming the step
  /// and the first layer with such a value, or the output that has no logarithm; the weights are then as before the
  /// step. Likewise for a gradient or an update that is not finite although the loss is. That is noticed later, by the
  /// next loss, at the end of the epoch or in save(); the steps since a copy of the weights are then repeated, so that
  /// the error names the step where it happened, the layer and the sample, and weights and record are as before that
  /// one. With clip_norm, a norm of the gradients that is not finite is an error at once. The run has then diverged:
  /// with a smaller lr, another begins from the weights as they are now or, if they have grown too large, from others
  /// (Network::initialize, load). At the end of an epoch, evaluates the network on the validation data, if there are
  /// any. Throws InputError for a sample that is not in memory and cannot be read any more, naming its file; the run is
  /// then as it was before the step. Throws std::logic_error if the run is finished.
  const Progress& step();
  const Progress& progress() const;
  /// True if the last step completed an epoch.
  bool epoch_ended() const;
  /// True if all steps are done, if patience was at its end, or if stop() was called.
  bool done() const;
  /// Makes done() true; a step in progress is completed. May be called from any thread and from a signal handler.
  void stop() noexcept;
  bool stopped() const;
  /// Gives the network the weights of the epoch that was best on the validation data (unless TrainOptions::keep_last),
  /// for when all is done: the network holds them beside its own until then, so that they are in its checkpoints, too.
  /// Of a run with averages they are averages, and the weights of the last step are then gone.
  void keep_best();
  /// Saves the network with its record: a checkpoint. Throws InputError, and NumericError as step() does for weights
  /// that are not finite.
  void save(const std::filesystem::path& file) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TrainResult {
  Progress last;
  bool stopped = false;        ///< before the end; the checkpoint, if there is one, is of that moment
  bool stopped_early = false;  ///< patience was at its end
};

/// Trains the network in place: a Trainer's steps, with the callbacks and checkpoints that the options ask for. on_step
/// is called before the step's checkpoint is written, on_epoch after it. If there are validation data, the network in
/// the end is that of the epoch that was best on them (unless keep_last); on_epoch of the last epoch still sees its
/// own.
TrainResult train(Network& network, const Dataset& data, const TrainOptions& options = {});

/// The options a checkpoint was written with; throws InputError if the network has no record.
TrainOptions checkpoint_options(const Network& network);

/// Gives their first values to weights that start by what the data are, with the init "whitening"; others stay as they
/// are. For a network that has learned nothing: after network() or Network::initialize(), before training. (The command
/// line calls it for each run that begins with weights of its own.) Looks at no more than 5,000 samples, spread evenly
/// over the data, and at fewer the larger the kernel is. The same bits on every machine. Throws InputError if such a
/// weight is no kernel of a convolution of the network's input, or has more filters than two for each of its
/// eigenvectors, and ShapeError for data that do not fit the network.
void fit_weights(Network& network, const Dataset& data);

/// Makes a network ready for a new run: forgets the record. If it has averages of weights (TrainOptions::average), the
/// new run goes on with the weights of the last step instead, as if there had been no averages, unless they are gone: a
/// run that keeps the best epoch's weights keeps its averages alone. To begin with averages, reset Network::training.
void begin_anew(Network& network);
/// Whether the network's parameters are averages beside which there are still the weights of the last step.
bool has_raw_weights(const Network& network);

/// The loss the network was trained with, if it has a record.
std::optional<Loss> trained_loss(const Network& network);
/// That loss, or the one its configuration names; otherwise cross-entropy if its output is a vector, as a classifier's
/// is, and squared error if not.
Loss natural_loss(const Network& network);
/// The graph of a training step with that loss and SGD, to see what it costs. (train() builds its own.)
Graph training_step(const Network& network);

/// What a configuration says apart from options; empty where it says nothing.
struct TrainConfig {
  std::optional<std::string> data;  ///< "digits", "mnist:FOLDER"
  std::optional<Normalisation> normalisation;
  std::optional<std::string> validation;  ///< Validation::text(): "0.1", a share of the training samples, or "test"
  std::optional<Fold> fold{};             ///< one of them, or
  std::optional<std::string> folds{};     ///< all, as Fold::parse_all() reads it: "5,seed=3"
  std::optional<Loss> loss;               ///< also among the options
};
/// Sets the options that are in the table [train] of a network's TOML (see docs/networks.md); none if there is no such
/// table, or if the text is a chain. Throws InputError "ORIGIN: line 3, column 7: …".
TrainConfig read_train_config(std::string_view text, std::string_view origin, TrainOptions& options);

/// Asks every train() that is running to stop after its current step. Safe in a signal handler. To stop one of several,
/// use TrainOptions::stop or a Trainer.
void request_stop() noexcept;

}  // namespace chalk
