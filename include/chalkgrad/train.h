// Training and evaluation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

/// Stochastic gradient descent on g = ∇loss + weight_decay · w:
///   v ← momentum · v + g,   w ← w − lr · v   (Nesterov: w ← w − lr · (g + momentum · v); Sutskever et al. 2013)
/// Weight decay is left out for biases (parameters of one axis).
struct Sgd {
  double lr = 0.05;  ///< > 0
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
};
inline Sgd sgd(const Sgd& options) { return options; }

/// The learning rate over time, as a factor of Sgd::lr. Warm-up rises linearly from 0 over the first `warmup` epochs.
struct Schedule {
  enum class Kind : std::uint8_t { constant, step, cosine, one_cycle };
  Kind kind = Kind::constant;
  double warmup = 0;       ///< epochs; one_cycle: 0 means 20 % of the run
  double step_epochs = 1;  ///< step: the rate is multiplied by `gamma` every so many epochs
  double gamma = 0.1;

  /// Factor for step `step` (0, 1, …) of `steps` with `steps_per_epoch` in an epoch.
  double factor(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch) const;
  /// "constant", "step:10,0.5" (every 10 epochs by 0.5), "cosine", "one-cycle", each with "+warmup:2" (epochs).
  /// Throws InputError saying what is allowed.
  static Schedule parse(std::string_view text);
  std::string text() const;
};

/// What training minimises (w ← w − lr · ∂/∂w) or, for a likelihood, maximises (w ← w + lr · ∂/∂w). The formulas stand
/// in layers.h. For labelled data the target is one-hot, whichever it is.
enum class Loss : std::uint8_t {
  cross_entropy,            ///< −Σ t·ln softmax(y), for labels; a softmax that ends the network is this one
  binary_cross_entropy,     ///< −Σ (t·ln y + (1 − t)·ln(1 − y)), 0 < y < 1
  squared_error,            ///< ½ Σ (t − y)²
  sum_of_squares,           ///< Σ (t − y)²
  log_likelihood,           ///< maximised: Σ t·ln softmax(y), for labels
  gaussian_log_likelihood,  ///< maximised: −½ Σ (t − y)²
};
/// True for the likelihoods.
bool maximised(Loss loss);
/// "cross-entropy", "log-likelihood", …: as on the command line.
std::string_view name_of(Loss loss);
/// The one of that name, or nothing.
std::optional<Loss> find_loss(std::string_view name);

/// Where a training run stands; given to callbacks and kept in checkpoints.
struct Progress {
  std::int64_t epoch = 0;  ///< 0 … epochs − 1
  std::int64_t step = 0;   ///< steps done, of
  std::int64_t steps = 0;
  std::int64_t samples = 0;  ///< samples done in this epoch, of
  std::int64_t epoch_samples = 0;
  double loss = 0;       ///< of the last step (of a likelihood: its value, which grows)
  double mean_loss = 0;  ///< over this epoch so far
  double accuracy = 0;   ///< over this epoch so far (classification), before each update
  double lr = 0;         ///< of the last step
  double seconds = 0;    ///< spent in this call
};

struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch = 64;
  Sgd optimizer{};
  Schedule schedule{};
  Loss loss = Loss::cross_entropy;
  std::uint64_t seed = 1;              ///< order of the samples (parameters: Network::initialize)
  int threads = 0;                     ///< 0: one a core; never changes a bit of the result
  std::filesystem::path checkpoint{};  ///< empty: none. Written at the start, the end, every epoch and
  std::int64_t checkpoint_every = 0;   ///< > 0: every so many steps
  std::function<void(const Progress&)> on_step{}, on_epoch{};
  CompileOptions compile{};
};

struct TrainResult {
  Progress last;
  bool stopped = false;  ///< request_stop() came before the end; the checkpoint, if any, is of that moment
};

/// Trains the network in place. If its metadata says that it is a checkpoint of an unfinished run, goes on from there,
/// to the same bits as if it had never been interrupted; the options must then be those of that run (InputError else).
/// A loss that is not finite throws NumericError naming the step and the first layer whose value is not, or the output
/// that has no logarithm.
TrainResult train(Network& network, const Dataset& data, const TrainOptions& options = {});

/// Options that a checkpoint was written with; throws InputError if the network's metadata has none.
TrainOptions checkpoint_options(const Network& network);
/// The data set ("digits", "mnist:…") is not part of the options; train() records Dataset::name.

/// What the network was trained with, if its metadata say so.
std::optional<Loss> trained_loss(const Network& network);
/// That, or what its configuration says; else cross-entropy if its output is a vector, as a classifier's is, or squared
/// error.
Loss natural_loss(const Network& network);
/// The graph of a training step with that loss and plain SGD, for a look at what it costs: train() builds its own.
Graph training_step(const Network& network);
/// Throws InputError "ORIGIN: line 3, column 7: …" for a mistake in the table [train] of TOML text.
void check_configuration(std::string_view text, std::string_view origin);

/// Asks a running train() to stop after its present step. Safe in a signal handler.
void request_stop();

struct ClassResult {
  std::string name;
  std::int64_t samples = 0, correct = 0, predicted = 0;  ///< predicted: how often this class was the answer
};
struct Evaluation {
  double accuracy = 0;  ///< 0 … 1
  double loss = 0;      ///< mean over the samples; of what the network was trained with
  std::int64_t samples = 0;
  std::vector<ClassResult> classes;
};

/// Throws ShapeError if the data do not fit the network, NumericError for an output that has no logarithm.
Evaluation evaluate(Network& network, const Dataset& data, int threads = 0);

/// Predicts again and again: what can be done once is done by the constructor, so that a call takes microseconds. Calls
/// see every change of the network's parameters (see Tensor::values() for what makes that cheap). The network must
/// outlive it.
class Predictor {
 public:
  /// `probabilities`: the result of a last softmax, or of one put after an output that has none, rather than what goes
  /// into it; a network that was trained with a loss without a softmax gives its output as it is. `threads`: 0 is one a
  /// core; a sample by itself takes only the caller's.
  explicit Predictor(Network& network, bool probabilities = false, int threads = 0);

  /// Outputs for `count` >= 1 samples of raw bytes or values, count × elements(output), there until the next call. A
  /// sample's result does not depend on the others with it. Throws InputError for a Feed that is neither.
  std::span<const float> operator()(const Feed& samples, std::size_t count = 1);

 private:
  Program program_;
};

/// What a Predictor gives, once.
std::vector<float> predict(Network& network, const Feed& samples, std::size_t count, bool probabilities,
                           int threads = 0);

}  // namespace chalk
