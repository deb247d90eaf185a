// What is done to gradients before an optimizer sees them.
#pragma once

#include <span>

#include "chalkgrad/graph.h"

namespace chalk {

/// g ← min(max(g, −most), most), element by element, as torch.nn.utils.clip_grad_value_ does: an infinite element
/// becomes ±most, NaN stays NaN.
void clip_by_value(std::span<Value> gradients, double most);

/// g ← min(1, most / (‖g‖ + 10⁻⁶)) · g with the norm ‖g‖ = √Σ g² over all elements of all gradients together (Pascanu,
/// Mikolov & Bengio 2013), as torch.nn.utils.clip_grad_norm_ does. Returns the norm before that, a shared scalar; if it
/// is not finite, the gradients make no sense.
Value clip_by_norm(std::span<Value> gradients, double most);

}  // namespace chalk
