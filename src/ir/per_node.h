// A table with one entry for each node of a graph.
#pragma once

#include <cstddef>
#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

template <class T>
class PerNode {
 public:
  PerNode() = default;
  explicit PerNode(const Graph& graph, const T& value = {}) : all_(static_cast<std::size_t>(graph.size()), value) {}

  decltype(auto) operator[](NodeId id) { return all_[static_cast<std::size_t>(id)]; }
  decltype(auto) operator[](NodeId id) const { return all_[static_cast<std::size_t>(id)]; }
  NodeId size() const { return static_cast<NodeId>(all_.size()); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  /// The entry of the node that comes next, for graphs that grow.
  void push_back(const T& value) { all_.push_back(value); }

 private:
  std::vector<T> all_;
};

}  // namespace chalk
