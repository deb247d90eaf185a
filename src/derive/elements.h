// What one element of a graph's value is, in index notation: the formula of its operation, of elements of its operands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/derive/indices.h"

namespace chalk::calculus {

/// Where an element stands: its sample, of values that have one, and an index expression for each axis.
struct At {
  ExprPtr sample{};
  std::vector<ExprPtr> place{};
};

class Elements {
 public:
  /// `names`: of values that are called by name where others are made of them. Several samples have an index.
  Elements(const Graph& graph, const std::map<NodeId, std::string>& names, std::int64_t samples, IndexSpace& space)
      : graph_(graph), names_(names), samples_(samples), space_(space) {}

  /// By its name if it has one, else its formula.
  ExprPtr element(NodeId id, const At& at) const;
  /// By the formula of its operation.
  ExprPtr formula(NodeId id, const At& at) const;
  /// New indices for each of its axes.
  At fresh(NodeId id, std::string_view letters) const;
  /// The value by its name; axes of extent 1 take no index.
  ExprPtr named(NodeId id, const At& at) const;
  /// The same by all indices in a row, sample first, without those of extent 1.
  std::vector<ExprPtr> indices(NodeId id, const At& at) const;
  /// Axes that take an index.
  Shape axes(NodeId id) const;

  const Node& node(NodeId id) const { return graph_.node(id); }
  std::int64_t samples() const { return samples_; }
  IndexSpace& space() const { return space_; }

 private:
  const Graph& graph_;
  const std::map<NodeId, std::string>& names_;
  std::int64_t samples_;
  IndexSpace& space_;
};

/// How the formula of an operation is found: its operands' elements are element(node.inputs[k], …). Each is written
/// once, in operations.cc; a missing one fails the build.
using ElementFormula = ExprPtr (*)(const Node& node, const At& at, const Elements& of);
ElementFormula element_formula(const Op& op);
/// Whether the operation reads elements that its operand may not have, which count as 0.
bool reads_outside(const Op& op);

}  // namespace chalk::calculus
