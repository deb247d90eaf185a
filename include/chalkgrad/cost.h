// What a network costs: parameters and multiply-adds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

/// Multiply-adds of one node for one sample: products of convolutions (padding counted as if it were there), matrix and
/// outer products. Nothing else counts, as is customary.
std::int64_t multiply_adds(const Graph& graph, NodeId id);
/// Of all nodes together.
std::int64_t multiply_adds(const Graph& graph);

struct Cost {
  std::int64_t parameters = 0;  ///< numbers in trainable parameters
  std::int64_t forward = 0;     ///< multiply-adds of one sample's prediction: of what the first output needs
  std::int64_t training = 0;  ///< and of its share of a training step: forward, and as much again for each operand of a
                              ///< product that leads to a trainable parameter (so not the first layer's input)
};
Cost cost(const Graph& graph);

struct LayerCost {
  std::string layer;
  Shape shape;  ///< of its result
  std::int64_t parameters = 0, forward = 0;
};
/// The layers of a forward graph in order; values that belong to none are left out.
std::vector<LayerCost> layer_costs(const Graph& graph);

}  // namespace chalk
