// How good a network is, and what it predicts.
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
  std::int64_t samples = 0, correct = 0, predicted = 0;  ///< predicted: how often this class was predicted
};
struct Evaluation {
  double accuracy = 0;  ///< 0 … 1
  double loss = 0;      ///< mean over the samples, of the loss the network was trained with
  std::int64_t samples = 0;
  std::vector<ClassResult> classes;
};

/// Throws ShapeError if the data do not fit the network, NumericError for an output that has no logarithm.
Evaluation evaluate(Network& network, const Dataset& data, int threads = 0);

/// For predicting repeatedly: the constructor does whatever can be done once, so that a call takes microseconds. Calls
/// see every change of the network's parameters (Tensor::values() says how to keep that cheap). The network must
/// outlive it.
class Predictor {
 public:
  /// `probabilities`: gives the result of the last softmax, or of one that is added if there is none, rather than what
  /// goes into it. A network trained with a loss without softmax always gives its output as it is. `threads`: 0 means
  /// one per core; a single sample uses only the caller's.
  explicit Predictor(Network& network, bool probabilities = false, int threads = 0);

  /// Outputs for `count` >= 1 samples of raw bytes or values, count × elements(output), valid until the next call. A
  /// sample's result does not depend on the other samples. Throws InputError for a Feed that is neither.
  std::span<const float> operator()(const Feed& samples, std::size_t count = 1);

 private:
  Program program_;
};

/// The same, once.
std::vector<float> predict(Network& network, const Feed& samples, std::size_t count, bool probabilities,
                           int threads = 0);

}  // namespace chalk
