// What is derived: the graph of a network with its loss, and what its values are called.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chalkgrad/derive.h"
#include "chalkgrad/graph.h"

namespace chalk::calculus {

struct Subject {
  Graph graph;  ///< in training, with the loss; softmax by itself where a loss has its logarithm
  std::map<NodeId, std::string> names;  ///< of inputs, parameters, what layers make, and whatever is used several times
  std::map<NodeId, std::string> meanings;
  std::vector<NodeId> values;       ///< those that are computed, in order; the loss is the last
  std::map<NodeId, NodeId> places;  ///< of a max-pool: which place of each window has the maximum
  NodeId input = -1, target = -1, output = -1, loss = -1;
  std::map<NodeId, std::string> losses;  ///< of several outputs, those of each, by its name
  std::int64_t samples = 1;              ///< more than one where samples depend on each other
  std::string given{};                   ///< what else check is to know: "t in 0..2 whole", a line each
};

/// `samples`: of the batch, if samples depend on each other, as with batch normalisation, or if the notation is that of
/// a batch. Of several outputs that are trained, the loss is the sum of theirs, each with its weight. Throws ShapeError
/// or InputError if the losses and the network do not go together, and what rename() throws.
Subject subject_of(const Network& network, const Loss& loss, std::int64_t samples, const DerivedNotation& letters = {});

/// The graph as a `network` statement of chalkgrad check, by these names, and what is given.
std::string network_statement(const Subject& subject);

}  // namespace chalk::calculus
