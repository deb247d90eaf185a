// What training minimises or maximises: the losses of a network's outputs, with their weights.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"
#include "src/losses/loss.h"

namespace chalk {

/// What a loss of_softmax() is computed from: the output, or what goes into a last softmax or log_softmax.
Value logits_of(Value output);

/// What a sample counts, a number: Dataset::weights.
inline constexpr const char* kSampleWeight = "sample_weight";

/// An output in a graph, and its loss there.
struct OutputLoss {
  NetworkOutput output;
  Loss loss;
  SampleLoss of_sample;

  bool has_labels() const { return !output.reconstructs && of_classes(loss); }
};

/// The output's loss beside that of the first.
Loss loss_of(const NetworkOutput& output, const Loss& first);
/// "the network's output", or "the output early" of one that is not the first.
std::string called(const NetworkOutput& output);
/// Those that are trained: their weight is above 0.
std::vector<NetworkOutput> trained_outputs(const Network& network);
/// The network's graph with these outputs alone.
Graph graph_of(const Network& network, std::span<const NetworkOutput> outputs);
/// With those that are trained: the graph itself, if all are.
Graph trained_graph(const Network& network);

/// Adds to a copy of the network's graph a batched input "t" (the target of all outputs that reconstruct nothing) and
/// each sample's loss of each output. Throws ShapeError if an output cannot be compared with `target` or the samples,
/// InputError if some of the losses are minimised and others maximised. `weighted`: and a batched input kSampleWeight,
/// by which each sample counts.
std::vector<OutputLoss> add_losses(Graph& graph, std::span<const NetworkOutput> outputs, const Loss& first,
                                   const Shape& target, bool weighted = false);
/// The same of all outputs that are trained, as the gradient checks see them.
std::vector<OutputLoss> add_losses(Graph& graph, const Network& network, const Loss& first, const Shape& target);

/// Σ weight · mean loss over the batch. The means of several outputs are named "loss.y", "loss.early".
Value objective(Graph& graph, std::span<const OutputLoss> losses);
/// Its derivatives, to the same values as gradients() gives, in less time: what a batch counts, if that depends on its
/// targets, is known only after all of its samples, and gradients are divided by it at the end, so that no sample has
/// to wait for the others.
std::vector<Value> gradients_of(Value objective, std::span<const OutputLoss> losses, std::span<const Value> parameters);

/// Throws InputError for data that a loss of these outputs of the network cannot take: see check_targets() in feeds.h.
void check_targets(const Network& network, std::span<const NetworkOutput> outputs, const Dataset& data,
                   const Loss& first);

}  // namespace chalk
