// Checks gradients by taking them: a small step along one parameter's gradient must change the loss by what it says.
//
// Let g be ∂L/∂w of one parameter and Δw = −α·g (+α·g if L is maximised) a step of it alone. By Taylor
//
//   ΔL = g·Δw + ½·Δwᵀ·H·Δw + …,  and, predicted,  g·Δw = ∓α·‖g‖² = ∓Σ(Δw)²/α
//
// so that measured / predicted = 1 + c·α + O(α²): the error shrinks with α, tenfold for a tenth of it. What an α and a
// tenth of it leave of that,
//
//   |E(α/10) − E(α)/10| <= 1e-4,  |E(α)| <= 0.1,  E = measured / predicted − 1,
//
// hold as soon as α is small. If g is wrong by a factor 1 + e, then E tends to −e/(1 + e) instead of 0, and 0.9 of it
// is left however small α is. So α is divided by ten until both hold (curvature and kinks of relu and max
// fade away) or until rounding, ε·|L| relative to ΔL, would hide a tenth of the tolerance; then the check has failed.
//
// It looks along g alone: what is wrong at right angles to g, and a gradient that is wrongly zero, it cannot see
// (check_gradients() can).
#pragma once

#include <span>
#include <vector>

#include "chalkgrad/gradcheck.h"
#include "chalkgrad/graph.h"
#include "src/run/reference.h"

namespace chalk {

/// Steps of each of `parameters` along its gradient (an empty Value: none), from α = `alpha` on. The leaves of
/// `reference` must be set, those of the parameters to `values`; they are again in the end. Throws NumericError if the
/// loss is not finite.
std::vector<UpdateCheck> check_updates(Reference& reference, Value loss, std::span<const Value> parameters,
                                       std::span<const Value> gradients, std::span<const std::vector<double>> values,
                                       double alpha, bool maximise);

}  // namespace chalk
