// What has to hold before a run begins.
#pragma once

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// Throws InputError for options that make no sense, by themselves, together, with these data or this network;
/// ShapeError for data that do not fit the network.
void check_run(const Network& network, const Dataset& data, const TrainOptions& options);

}  // namespace chalk
