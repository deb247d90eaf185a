// How good a network is, and what it predicts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/augmentation.h"
#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

struct ClassResult {
  std::string name;
  std::int64_t samples = 0, correct = 0, predicted = 0;  ///< predicted: how often this class was predicted

  /// The share of its samples that were found; nothing if it has none.
  std::optional<double> recall() const;
  /// The share of its predictions that were right; nothing if it was never predicted.
  std::optional<double> precision() const;
  /// 2·correct / (samples + predicted), the harmonic mean of both; nothing if it has no samples and was never
  /// predicted. If it has samples and none was found, 0, even where precision() is nothing.
  std::optional<double> f1() const;
};
/// Means over the classes of what each of them has: classes for which it is nothing do not count. (In scikit-learn
/// average="macro" with zero_division=np.nan; by default, there they count as 0.)
struct ClassMeans {
  std::optional<double> recall, precision, f1;
};
/// What an output beside the first one gives.
struct OutputEvaluation {
  std::string name;
  double loss = 0;                   ///< mean over the samples, of
  Loss measured{};                   ///< its loss, or squared error if that needs labels
  std::optional<double> accuracy{};  ///< if it is compared with labels
};
/// Of the first output, which is what a network predicts.
struct Evaluation {
  double accuracy = 0;  ///< 0 … 1
  double loss = 0;      ///< mean over the samples, of
  Loss measured{};      ///< the loss the network was trained with, or squared error if that needs labels
  std::int64_t samples = 0;
  std::vector<ClassResult> classes;
  /// How many samples of a class were predicted as another: [class · classes.size() + predicted].
  std::vector<std::int64_t> confusion;
  /// How many samples have as many other classes before their own: those of a larger output, and of an equal one that
  /// comes earlier. ranks[0] are the correct ones.
  std::vector<std::int64_t> ranks;
  std::vector<OutputEvaluation> others;  ///< of a network with several outputs, the rest of them, in their order
  double objective = 0;                  ///< Σ weight · loss over all outputs, as in training; loss, if there is one

  /// The share of the samples whose class is among the k of the largest outputs, k >= 1; top(1) is the accuracy.
  double top(std::int64_t k) const;
  ClassMeans means() const;
};

/// Throws ShapeError if the data do not fit the network, InputError for targets that its loss cannot take, NumericError
/// for an output that has no logarithm, and where a parameter, a layer's result or the loss is NaN or infinite, naming
/// it.
Evaluation evaluate(Network& network, const Dataset& data, int threads = 0);

/// The same for several networks, or for one that looks at several views of each sample: see Ensemble, also for their
/// names. The loss is that of the first network, of the mean of their answers. Only first outputs are looked at.
Evaluation evaluate(std::span<Network* const> networks, const Dataset& data, int threads = 0,
                    std::vector<std::string> names = {}, const Augmentations& views = {});

/// What the numbers are that a network gives.
enum class Outputs : std::uint8_t {
  classes,        ///< one probability for each class; they sum to 1
  probabilities,  ///< each the probability of something of its own
  numbers,        ///< whatever it was trained to give
};
/// Softmax or log_softmax at the end, reshapes aside, or a loss with a softmax of its own: classes. Sigmoids at the
/// end: probabilities, unless trained on targets (not labels) with another loss than binary or sigmoid cross-entropy.
/// The latter makes probabilities of any outputs. Without a record of training, a vector is taken for a classifier's
/// (natural_loss() in train.h). All others: numbers. `output`: one of the network's, each of which has its own loss;
/// throws InputError if there is no such.
Outputs outputs_of(const Network& network, std::string_view output = "y");

/// How the data become a network's input.
InputEncoding encoding_of(const Dataset& data);
/// Gives the data scales and shifts, and says so, if there are any for what the data are: bytes, or values.
bool encode(const InputEncoding& encoding, Dataset& data);
/// Gives the data the scales, the shifts and, if there are as many or more, the class names that the network was
/// trained with, where it has them. So a test part needs no training part beside it.
void encode_as_trained(const Network& network, Dataset& data);

/// For predicting repeatedly: the constructor does whatever can be done once, so that a call takes microseconds. Calls
/// see every change of the network's parameters (Tensor::values() says how to keep that cheap). The network must
/// outlive it.
class Predictor {
 public:
  /// `probabilities`: if outputs_of() are classes, gives the result of the last softmax, or of one that is added if
  /// there is none, rather than what goes into it; the same of sigmoids, after sigmoid cross-entropy. Other networks
  /// give their output as it is. `threads`: 0 means one per core; a single sample uses only the caller's. `output`:
  /// which one of the network's is wanted; the others are not computed. Throws NumericError naming a parameter that is
  /// NaN or infinite, InputError for an output that the network does not have.
  ///
  /// `views`: test-time augmentation. The result is that of the weighted mean over these views of a sample
  /// (Augmentations::views() in augmentation.h): of what goes into the last softmax or sigmoid where outputs_of() are
  /// classes or probabilities, and else of the outputs. The sum is formed in double, in the order of the views. Throws
  /// InputError as views() does, for samples that are no pictures, for augmentations that do not fit their size, and
  /// for an output that is no vector: a map would have to be moved back.
  explicit Predictor(Network& network, bool probabilities = false, int threads = 0, std::string_view output = "y",
                     const Augmentations& views = {});

  /// Outputs for `count` >= 1 samples of raw bytes or values (network.encoding.feed() has them as training saw them),
  /// count × elements(output), valid until the next call. A sample's result does not depend on the other samples.
  /// Throws InputError for a Feed that is neither, and for values of which views are wanted; NumericError for a value
  /// or a result that is NaN or infinite, naming the first layer in which that is so.
  std::span<const float> operator()(const Feed& samples, std::size_t count = 1);

 private:
  struct Mean;  // over views
  std::span<const float> of_views(const Feed& samples, std::size_t count);

  Network* network_;
  std::string output_;
  std::size_t inputs_;  // elements of a sample
  Program program_;
  std::shared_ptr<Mean> mean_;  // null: of no views
};

/// Several networks that answer together: the mean of their probabilities (outputs_of(): classes or probabilities), or
/// of their outputs if these are numbers. Each sees samples with the scales and shifts that it was trained with, if it
/// has them. They must outlive it.
class Ensemble {
 public:
  /// Throws InputError for no network, ShapeError for networks whose inputs or outputs differ in shape, InputError for
  /// such as differ in what their outputs are, or in the names of their classes. `threads`: as for a Predictor.
  /// `names`: what messages call the networks, e.g. their files; without, "network 2 of the ensemble". `views`: what
  /// each of them looks at, as a Predictor does.
  explicit Ensemble(std::span<Network* const> networks, int threads = 0, std::vector<std::string> names = {},
                    const Augmentations& views = {});
  /// As Predictor's.
  std::span<const float> operator()(const Feed& samples, std::size_t count = 1);
  Outputs outputs() const { return outputs_; }

 private:
  std::vector<Network*> networks_;
  std::vector<std::string> names_;
  std::vector<Predictor> predictors_;
  Outputs outputs_;
  std::vector<double> sums_;
  std::vector<float> means_;
};

/// A Predictor's answer, once.
std::vector<float> predict(Network& network, const Feed& samples, std::size_t count, bool probabilities,
                           int threads = 0, std::string_view output = "y", const Augmentations& views = {});

}  // namespace chalk
