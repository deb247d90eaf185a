// Measuring a network on the same data again and again, as at the end of each epoch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/evaluate.h"
#include "chalkgrad/program.h"
#include "src/train/tally.h"

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
  /// An output of the network, and what the program gives for it.
  struct Part {
    NetworkOutput output;
    Loss loss;
    bool weighs, has_labels;
    LossNames names;
    std::string answer;  // what is compared with labels
  };

  /// Says where an output's loss for these rows stops being finite.
  [[noreturn]] void fail(const Part& part, const std::vector<std::uint32_t>& rows);

  Network& network_;
  const Dataset& data_;
  std::vector<Part> parts_;
  std::optional<Program> program_;
};

}  // namespace chalk
