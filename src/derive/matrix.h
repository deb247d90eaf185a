// Formulas of vectors and matrices: what index notation says without its indices.
#pragma once

#include <vector>

#include "src/derive/algebra.h"

namespace chalk::calculus {

/// The terms as an expression of whole vectors and matrices whose axes are these indices (at most two), in the order
/// given: W·x, δ·aᵀ, u ⊙ v, or X·Wᵀ + 1·bᵀ of samples in rows; null if it is not as simple as that. Values with more
/// axes have no such form.
ExprPtr as_matrices(const Terms& terms, const std::vector<ExprPtr>& indices, const IndexSpace& space,
                    const std::map<std::string, ValueFacts>& values);

}  // namespace chalk::calculus
