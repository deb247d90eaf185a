// The passes that turn a graph into one that runs well. Each is one file and one function from graph to graph;
// pipeline.cc has their order.
#pragma once

#include <string>

#include "chalkgrad/graph.h"

namespace chalk {

/// The graph without what its outputs and updates do not need, with constants folded, equal expressions merged and
/// algebra applied (simplify_rules.inc lists the rules). Inputs and parameters stay, in their order. Values keep their
/// names where a named value survives.
Graph simplify(const Graph& graph);

/// The graph in training: every value that has a substitute in training (Graph::training_substitute) has given its
/// place to it, and running averages follow the batches by updates; of a graph with outputs, those averages that they
/// need. Values keep their ids. Nothing changes for a graph that is the same in training. `momentum`, if not empty, is
/// the name of a shared input that takes the place of each average's own. Throws std::logic_error if a value is used
/// before its substitute is known.
Graph training_form(const Graph& graph, const std::string& momentum = {});

/// The graph with scales and shifts of a convolution's or dense layer's channels made part of its weights and bias,
/// where they are the only use of its result: what is left of batch normalisation in prediction.
Graph fold_scales(const Graph& graph);

/// The graph with the variance of a batch of maps taken within the samples and between them, in one pass over the maps.
Graph split_variance(const Graph& graph);

}  // namespace chalk
