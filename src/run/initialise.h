// The first values of parameters.
#pragma once

#include <span>

#include "chalkgrad/graph.h"
#include "src/base/random.h"

namespace chalk {

/// Draws the values of a parameter of this shape, the same bits with every C library and instruction set.
void initialise(const Init& init, const Shape& shape, Random& random, std::span<float> values);

}  // namespace chalk
