// What all layers of a network share: names, "conv1", "relu1", "conv2", by kind and order; and how weights start where
// a layer does not say it.
#pragma once

#include <map>
#include <string>

#include "chalkgrad/graph.h"

namespace chalk {

class LayerNames {
 public:
  explicit LayerNames(Graph& graph) : graph_(graph) {}

  std::string init{};           ///< as in WeightInit::parse(); empty: as the layer would by itself
  bool zero_residuals = false;  ///< the last weights of each branch in a line, or the scale behind them, start at 0

  /// Makes the next free name of that kind the graph's current layer.
  std::string begin(const std::string& kind) {
    std::string name;
    do {
      name = kind + std::to_string(++counts_[kind]);
    } while (graph_.find(name));
    graph_.layer(name);
    return name;
  }

 private:
  Graph& graph_;
  std::map<std::string, int> counts_;
};

}  // namespace chalk
