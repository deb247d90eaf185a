// The update of a parameter, as an optimizer applies it.
#pragma once

#include "chalkgrad/optimizer.h"
#include "src/derive/subject.h"

namespace chalk::calculus {

/// w is a parameter of 3×2 numbers, g its gradient, η the learning rate; what the optimizer keeps from step to step has
/// a letter, and w′ is w after the step.
Subject update_of(const Optimizer& optimizer, bool ascends);

}  // namespace chalk::calculus
