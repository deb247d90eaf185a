// What is derived: the graph of a network with its loss, and what its values are called.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/network.h"
#include "src/derive/notation.h"

namespace chalk::calculus {

struct Subject {
  Graph graph;  ///< in training, with the loss; softmax by itself where a loss has its logarithm
  std::map<NodeId, std::string> names;  ///< of inputs, parameters, what layers make, and whatever is used several times
  std::map<NodeId, std::string> meanings;
  std::vector<NodeId> values;       ///< those that are computed, in order; the loss is the last
  std::map<NodeId, NodeId> places;  ///< of a max-pool: which place of each window has the maximum
  NodeId input = -1, target = -1, output = -1, loss = -1;
  std::int64_t samples = 1;  ///< more than one where samples depend on each other
};

/// `samples`: of the batch, if samples depend on each other, as with batch normalisation. Throws ShapeError or
/// InputError if the loss and the network do not go together, or if the network has several outputs.
Subject subject_of(const Network& network, const Loss& loss, std::int64_t samples,
                   const Notation& letters = kNotations[0]);

/// The graph as a `network` statement of chalkgrad check, by these names.
std::string network_statement(const Subject& subject);

}  // namespace chalk::calculus
