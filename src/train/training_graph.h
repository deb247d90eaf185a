// The graph of one training step, made of a network's forward graph.
#pragma once

#include "chalkgrad/train.h"

namespace chalk {

/// Adds to a copy of the network's graph a batched input "t" (the target) and a batched scalar value of each sample's
/// loss, which is returned. Throws ShapeError if the network's output cannot be compared with `target`.
Value add_loss(Graph& graph, Loss loss, const Shape& target);

/// What the loss is computed from: the network's output, or what a last softmax is made of.
Value logits_of(Graph& graph);

/// What the optimizer's state of a parameter is called: its name and this.
constexpr std::string_view kMomentum = ".momentum";

/// Whether the target of this loss is a distribution over classes, and a last softmax part of it.
bool of_softmax(Loss loss);

/// The whole step: outputs "loss" (mean over the batch) and, for targets that are `labels`, "correct" (samples answered
/// rightly), input "lr", and the optimizer's updates. Its state are parameters NAME.momentum (not trainable).
Graph training_graph(const Network& network, Loss loss, const Shape& target, bool labels, const Sgd& optimizer);

}  // namespace chalk
