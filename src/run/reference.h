// Evaluates a graph in double, sample after sample, with each operation's reference kernel: slow, simple, and what
// everything fast is compared with.
#pragma once

#include <cstddef>
#include <cstdint>
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

  /// Gives the values of another's last run to the nodes with which this graph begins as that one's does: they are not
  /// evaluated again.
  void go_on_from(const Reference& other) {
    values_ = other.values_;
    begin_ = static_cast<std::size_t>(other.graph_.size());
  }

  /// From now on each number is changed at random as it is stored, relatively by at most `unit` (0: none is), as a
  /// shorter format would round it. Equal numbers stay equal. Choices, such as the results of comparisons, and leaves
  /// and constants that are whole, such as an index, are exact as ever. Each `seed` rounds differently.
  void perturb(double unit, std::uint64_t seed = 0) { unit_ = unit, seed_ = seed; }

  /// Result of the last run.
  const std::vector<double>& value(NodeId id) const { return values_[static_cast<std::size_t>(id)]; }
  std::size_t batch() const { return batch_; }

 private:
  void evaluate(NodeId id);
  const std::vector<double>& stored(NodeId id) const;
  double rounded(double x) const;

  const Graph& graph_;
  std::size_t batch_, begin_ = 0;
  std::vector<std::vector<double>> values_;
  double unit_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<std::vector<double>> rounded_leaves_;  // while numbers are perturbed
};

}  // namespace chalk
