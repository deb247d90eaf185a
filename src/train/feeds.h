// Data sets as a program's inputs.
#pragma once

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

Feed sample_feed(const Dataset& data);
Feed target_feed(const Dataset& data);

/// Shape of a sample's target: {classes} or Dataset::target.
Shape target_shape(const Dataset& data);

/// Throws ShapeError unless the samples have the shape of the network's input, InputError if there are none.
void check_fits(const Network& network, const Dataset& data);

}  // namespace chalk
