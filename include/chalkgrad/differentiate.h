// The chain rule: a pass that walks the graph backwards and appends more graph.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "chalkgrad/graph.h"

namespace chalk {

/// Cotangents of a node's inputs, given its value y and y's cotangent dy; an empty Value where there is none.
using DerivativeFunction =
    std::function<std::vector<Value>(const Node& node, std::span<const Value> inputs, Value y, Value dy)>;

/// Replacements for the derivative rules of operations, by name. Used to show that a wrong rule is noticed.
using DerivativeRules = std::map<std::string, DerivativeFunction, std::less<>>;

/// The cotangent of each of `wrt` for a cotangent `dy` of y (of y's type): the vector-Jacobian product dyᵀ · ∂y/∂wrt.
/// Appends to y's graph; each result has the type of its `wrt`. Where a batched value is made from a shared one, the
/// shared one's cotangent is a batch_sum. An empty Value where y does not depend on that one (or only through
/// comparisons and indices, whose derivative is 0).
std::vector<Value> differentiate(Value y, Value dy, std::span<const Value> wrt, const DerivativeRules& rules = {});

/// Gradients of a shared scalar (a loss). Throws ShapeError for any other value. Where it does not depend on one of
/// `wrt`, zeros.
std::vector<Value> gradients(Value loss, std::span<const Value> wrt, const DerivativeRules& rules = {});

}  // namespace chalk
