// A function of its own for every node, of the activations in layers.inc.
#pragma once

#include <span>

#include "src/layers/layer.h"

namespace chalk {

/// As activations() of the public header, with the functions as layers.
Value apply_each(Value x, std::span<const Layer* const> functions);

}  // namespace chalk
