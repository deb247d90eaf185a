// Measuring a network on the same data again and again, as at the end of each epoch.
#pragma once

#include <optional>
#include <string>

#include "chalkgrad/evaluate.h"
#include "chalkgrad/program.h"

namespace chalk {

/// evaluate() in two parts: the constructor checks and compiles whatever can be done once, and each call sees every
/// change of the parameters. Network and data must outlive it.
class Evaluator {
 public:
  /// Throws ShapeError or InputError for data that do not fit the network or its loss.
  Evaluator(Network& network, const Dataset& data, int threads);
  /// Throws NumericError as evaluate() does.
  Evaluation operator()();

 private:
  Network& network_;
  const Dataset& data_;
  Loss loss_;
  bool weighs_ = false;
  std::string answer_;  // the output that is counted
  std::optional<Program> program_;
};

}  // namespace chalk
