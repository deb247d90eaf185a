// What tests that build small graphs share.
#pragma once

#include "chalkgrad/graph.h"

namespace chalk {

/// c, in the graph of x.
inline Value number(Value x, double c) { return x.graph().constant(c); }

}  // namespace chalk
