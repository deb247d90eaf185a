// How good a network is, and what it answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

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
