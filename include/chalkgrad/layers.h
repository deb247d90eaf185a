// Layers and losses: plain functions that build graph. They hold no state; their parameters are made in the graph under
// the current layer's name (Graph::layer): "conv1.weight", "conv1.bias".
#pragma once

#include "chalkgrad/graph.h"
#include "chalkgrad/ops.h"

namespace chalk {

struct ConvLayer {
  std::int64_t filters = 1;
  Pair kernel{3, 3};
  Conv2dOptions options{};
  bool bias = true;
};
/// conv2d with weights (He initialisation) and a bias per filter (zero at first) on x [channels, height, width].
Value conv_layer(Value x, const ConvLayer& layer);

/// W·x + b on x of any shape, flattened: weights [outputs, elements of x], `init` he or glorot.
enum class WeightInit { he, glorot };
Value dense_layer(Value x, std::int64_t outputs, bool bias = true, WeightInit init = WeightInit::he);

/// −Σ t·log softmax(logits) of each sample, for a target distribution t (a one-hot label) of the same shape [classes].
Value cross_entropy(Value logits, Value target);

/// ½ Σ (y − t)² of each sample.
Value squared_error(Value y, Value target);

/// Mean over the samples of the batch: batch_sum(x) / batch_size.
Value batch_mean(Value x);

}  // namespace chalk
