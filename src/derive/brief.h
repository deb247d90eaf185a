// A derivation in few pages.
#pragma once

#include "chalkgrad/derive.h"

namespace chalk::calculus {

/// Keeps of each chain the first and the last formula, and of chains that differ in the numbers of layers and in sizes
/// alone the first, with a note that says which others are like it.
void shorten(Derivation& derivation);

}  // namespace chalk::calculus
