// How a network ends: which of the functions that make probabilities its output comes from.
#pragma once

#include "chalkgrad/graph.h"

namespace chalk {

struct Ending {
  enum class Kind : std::uint8_t {
    other,
    sigmoid,      ///< of each element
    softmax,      ///< of all elements: one distribution
    softmaxes,    ///< several distributions, along an axis
    log_softmax,  ///< of all elements
  };
  Kind kind = Kind::other;
  /// What goes into a sigmoid, softmax or log_softmax, in the shape of the output; into softmaxes, in its own shape;
  /// else the output.
  Value logits;
  std::int64_t axis = 0;  ///< of softmaxes

  bool one_distribution() const { return kind == Kind::softmax || kind == Kind::log_softmax; }
};

/// Reshapes behind the function do not count.
Ending ending_of(Value output);

/// Has the graph say that the loss of this name is computed from the logits of a sigmoid or softmax.
void remark_joined(Graph& graph, std::string_view loss, const Ending& end);

}  // namespace chalk
