// What must hold before a run begins.
#pragma once

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// Throws InputError for options that make no sense, by themselves, together, for this data or for this network;
/// ShapeError for data that does not fit the network.
void check_run(const Network& network, const Dataset& data, const TrainOptions& options);

}  // namespace chalk
