// Normalisation of data whose elements have been seen already.
#pragma once

#include <array>
#include <vector>

#include "chalkgrad/data.h"
#include "src/base/moments.h"

namespace chalk {

/// Of each channel of the training part and the test part; empty: not known.
using KnownMoments = std::array<std::vector<ByteMoments>, 2>;

/// As normalise(Split&) does, without a look at elements whose moments are known.
void normalise(Split& data, const Normalisation& how, const KnownMoments& known);

}  // namespace chalk
