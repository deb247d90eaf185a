// How bytes become the floats a network sees.
#pragma once

#include "chalkgrad/data.h"

namespace chalk {

/// Sets scale and shift of both parts so that every channel of the training part (of the test part, if that is all
/// there is) has mean 0 and standard deviation 1: scale = 1/σ and shift = −μ/σ, with μ and σ in units of a byte
/// (0…255). A channel that never changes gets scale 1/255 and shift −μ/255. The sums are integers, so the result does
/// not depend on their order.
void normalise(Split& split);

}  // namespace chalk
