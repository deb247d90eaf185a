// Formulas with something else instead of some of their leaves.
#pragma once

#include <map>
#include <set>

#include "src/math/expr.h"
#include "src/math/symbols.h"

namespace chalk::math {

/// The formula with other expressions in place of some indices.
ExprPtr substitute(const ExprPtr& e, const std::map<int, ExprPtr>& indices);
/// The formula with another expression in place of the leaf `hole`.
ExprPtr substitute(const ExprPtr& e, const Expr* hole, const ExprPtr& by);

/// Values that a formula in index form mentions.
std::set<int> mentioned(const Expr& e);

/// Numbers of a reasonable size that occur in formulas, or in the definitions they go back to; without their signs.
std::set<double> numbers_in(const Expr& a, const Expr& b, const Symbols& symbols);

/// Whether a function with a corner or a jump is in the formula, or in the definitions it goes back to. In index form.
bool has_corners(const Expr& e, const Symbols& symbols);

/// Whether it is one number, the same everywhere: it has no index and no value in it. In index form.
bool is_constant(const Expr& e);

}  // namespace chalk::math
