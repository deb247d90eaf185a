// The rules of simplify(): what one is, what they are matched with, and the list of them (simplify_rules.inc).
//
// A rule looks at a value y, whose inputs are simplified already, and returns y written in another way, or an empty
// Value where it does not apply. It writes plain operations; what it writes is simplified in turn. Equal values are one
// value, so a rule compares them with ==. The driver refuses a result whose type is not y's, so a rule may leave it at
// that where an operand broadcasts in an unforeseen way.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chalkgrad/graph.h"
#include "chalkgrad/ops.h"

namespace chalk {

struct Rule {
  std::string_view name;
  std::string_view root;  // the operation it applies to, "elementwise", or "any" (all but leaves)
  std::string_view formula;
  Value (*apply)(Value y);
};

/// All rules, in the order in which they are tried.
std::span<const Rule> simplify_rules();

/// simplify() with some of the rules; counts how often each was applied.
Graph simplify_by(const Graph& graph, std::span<const Rule> rules, std::map<std::string_view, int>* applied = nullptr);

namespace rules {

#define CHALK_RULE(root, name, formula) Value name(Value y);
#include "src/passes/simplify_rules.inc"
#undef CHALK_RULE

// What values are made of.

bool made_by(Value v, const Op& op);
bool elementwise(const Op& op);
/// The k-th input of the operation that makes v.
Value arg(Value v, std::size_t k = 0);
std::vector<Value> args(Value v);
template <class A>
const A& attributes(Value v) {
  return v.graph().node(v.id()).attributes.template as<A>();
}

/// v is this constant everywhere.
std::optional<double> number(Value v);
bool is_number(Value v, double k);
/// No element of v can be NaN or infinite, whatever goes in: constants, masks, indices, the number of samples, inputs
/// that are distributions, and what only moves, chooses or negates such values.
bool always_finite(Value v);

/// One element, the same for all samples.
bool is_scalar(Value v);
/// c may be in front of x as its factor: it is computed once where x is computed for each sample or element.
/// Factors are collected and moved outwards.
bool is_factor(Value c, Value x);
/// v = factor · rest.
struct Scaled {
  Value factor, rest;
};
std::optional<Scaled> scaled(Value v);
/// v = (1/N) · Σₙ u or (Σₙ u)/N: u; otherwise an empty Value.
Value batch_mean_of(Value v);
/// v = k · x or v = k for a constant k < 0: returns −k · x or −k; otherwise an empty Value.
Value negated_if_negative(Value v);

// What rules write.

/// The operation that makes y, applied to other inputs.
Value remake(Value y, std::span<const Value> inputs);
/// v of that type, by broadcast and batch_broadcast as far as they are needed. (Types are passed by value: a reference
/// into the graph would not survive the next operation.)
Value stretched(Value v, const Type& type);
Value constant_of(Value like, double k, const Type& type);

// Shapes.

/// The same except for extents of 1 in front, which do not matter to elementwise operations.
bool equal_but_leading_ones(const Shape& a, const Shape& b);
/// The shape with extents of 1 in front, up to that rank.
Shape padded(const Shape& shape, std::size_t rank);
/// The axes that are reduced, one flag an axis (no axes given: all).
std::vector<bool> reduced_axes(std::span<const std::int64_t> axes, std::size_t rank);

}  // namespace rules
}  // namespace chalk
