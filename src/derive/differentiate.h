// Derivatives of formulas by their indices.
#pragma once

#include <string>
#include <vector>

#include "src/derive/indices.h"

namespace chalk::calculus {

/// d e / d value[indices]: where the value occurs, Kronecker's δ of its indices and these.
ExprPtr derivative_of(const ExprPtr& e, const std::string& value, const std::vector<ExprPtr>& indices,
                      IndexSpace& space);

using DerivativeOf = ExprPtr (*)(const ExprPtr& e, const std::string& value, const std::vector<ExprPtr>& indices,
                                 IndexSpace& space);

/// Whether a value of that name occurs.
bool has_value(const ExprPtr& e, const std::string& value);

}  // namespace chalk::calculus
