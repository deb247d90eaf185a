// The chain rule on formulas in index form. Independent of the passes that differentiate graphs: where a formula
// mentions a value of the network, its derivative is taken from the network (Kind::jacobian), everything else is found
// here.
#pragma once

#include <vector>

#include "src/math/expr.h"
#include "src/math/symbols.h"

namespace chalk::math {

/// d(e) / d(symbol[args]): everything that changes with that value counts. In index form. Throws FormulaError for
/// third derivatives of a network's values.
ExprPtr derive(const ExprPtr& e, int symbol, const std::vector<ExprPtr>& args, const Symbols& symbols,
               Indices& indices);

/// d(e) / d(hole), a leaf of e: the parameter of a function.
ExprPtr derive(const ExprPtr& e, const Expr* hole, const Symbols& symbols, Indices& indices);

}  // namespace chalk::math
