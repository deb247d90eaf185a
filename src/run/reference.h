// Evaluates a graph in double, sample after sample, with each operation's reference kernel: slow, simple, and what
// everything fast is compared with.
#pragma once

#include <cstddef>
#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

class Reference {
 public:
  /// `batch` >= 1 samples. The graph is read again at each run, so it may grow in between.
  Reference(const Graph& graph, std::size_t batch) : graph_(graph), batch_(batch) {}

  /// Values of an input or parameter: elements() of them if shared, batch × elements() if batched, sample by sample.
  /// Throws std::logic_error on another count.
  void set(NodeId leaf, std::vector<double> values);

  /// Evaluates every value that `wanted` need (all values if empty). Throws std::logic_error if a leaf was not set.
  void run(std::span<const NodeId> wanted = {});

  /// Result of the last run.
  const std::vector<double>& value(NodeId id) const { return values_[static_cast<std::size_t>(id)]; }
  std::size_t batch() const { return batch_; }

 private:
  void evaluate(NodeId id);

  const Graph& graph_;
  std::size_t batch_;
  std::vector<std::vector<double>> values_;
};

}  // namespace chalk
