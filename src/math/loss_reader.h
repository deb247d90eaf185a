// The loss at the end of a network: > L = loss(t: huber, delta=2)
#pragma once

#include <string>

#include "chalkgrad/losses.h"
#include "src/math/parser.h"
#include "src/math/symbols.h"

namespace chalk::math {

struct ReadLoss {
  Loss loss;
  SampleLoss of_sample;  ///< in the graph of the output
  bool mean = false;     ///< that of the samples is meant
  std::string target{};  ///< its name, place and value, and how it is drawn
  Place place{};
  Value value{};
  Domain domain{};
};

/// Reads "(t: huber, delta=2)", or with "mean" behind it, and appends the loss of `output` to its graph. What the loss
/// computes from logits, it is given by the softmax or sigmoid that ends the network, so that it has a derivative by
/// that. Throws FormulaError; ShapeError if the output does not fit.
ReadLoss read_loss(Tokens& tokens, Value output);

}  // namespace chalk::math
