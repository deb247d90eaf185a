// Sums of products: the form in which derivatives are simplified.
//
//   Σ over indices of  number · δ(a,b)… · factor^exponent…
//
// A factor is whatever is not taken apart: a value, a derivative, a function's value, a difference in brackets.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "chalkgrad/shape.h"
#include "src/derive/indices.h"
#include "src/math/expr.h"

namespace chalk::calculus {

struct Factor {
  ExprPtr base;
  double exponent = 1;
};

struct Term {
  double number = 1;
  std::vector<std::pair<ExprPtr, ExprPtr>> deltas{};
  std::vector<Factor> factors{};
  std::vector<math::Bound> sums{};
};
using Terms = std::vector<Term>;

/// What a value of the network is, to the rules: its axes (of extent more than 1), and whether its numbers sum to 1.
struct ValueFacts {
  Shape axes{};
  bool distribution = false;
};

class Algebra {
 public:
  Algebra(IndexSpace& space, const std::map<std::string, ValueFacts>& values) : space_(space), values_(values) {}

  /// Brackets stay as they are, unless there is a δ in them.
  Terms expand(const ExprPtr& e) const;
  /// A product all of whose brackets stay as they are.
  Term closed(const ExprPtr& e) const;
  /// −(a − b) = (b − a), if it is one product with a minus and such a bracket.
  bool sign_into_bracket(Term& term) const;
  /// Products of sums are multiplied out, too.
  Terms multiplied_out(const Terms& terms) const;
  ExprPtr expression(const Terms& terms) const;
  ExprPtr expression(const Term& term) const;

  // Each rule returns whether it changed anything.

  /// Σⱼ δ(i,j)·f(j) = f(i)
  bool sift(Terms& terms) const;
  /// A sum over an index whose place in a value runs over fewer numbers than the index does becomes one over those.
  bool shift(Terms& terms) const;
  /// Σₕ tₕ = 1 where the target is a distribution; sums over what does not depend on the index.
  bool sum_up(Terms& terms) const;
  /// Equal factors and terms are taken together.
  void collect(Terms& terms) const;

  /// What all terms have in common stands before a bracket.
  Terms factored(Terms terms) const;

  /// A derivative's numerator is a value whose formula is `whole`: where it occurs in the terms, it is called by name.
  /// `indices` are the formula's.
  bool fold(Terms& terms, const ExprPtr& whole, const std::vector<std::string>& indices,
            const std::function<ExprPtr(const std::vector<ExprPtr>&)>& name) const;

  IndexSpace& space() const { return space_; }

 private:
  Terms product(const Terms& a, const Terms& b) const;
  Terms power(const Terms& a, double exponent) const;
  Term as_factor(const Terms& terms) const;
  Term combined(const Term& a, Term b) const;
  bool sift_one(Term& term) const;
  bool shift_one(Term& term) const;
  bool outside_is_zero(const Term& term, const std::string& index) const;
  void substitute(Term& term, const std::string& index, const ExprPtr& by) const;

  IndexSpace& space_;
  const std::map<std::string, ValueFacts>& values_;
};

bool has_delta(const ExprPtr& e);
/// Whether d…/d… stands in it.
bool has_derivative(const ExprPtr& e);

}  // namespace chalk::calculus
