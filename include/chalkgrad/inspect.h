// Every value of a network and of its loss, with its gradient, for some samples: to look at, or to compare with other
// programs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

struct InspectedValue {
  std::string name;  ///< its own ("x", "t", "conv1", "loss"), or "conv1.conv2d" for a step inside a layer; ".2" repeats
  Shape shape;       ///< batched values have the samples as their first axis
  std::vector<double> value, gradient;  ///< gradient: of the samples' mean loss with respect to it
};

enum class InspectBy {
  reference,  ///< in double, operation by operation
  engine,     ///< in float, as training computes
};

/// All values for samples `first` to `first` + `count` − 1 of the data (InputError if they have no such samples), in
/// the order of the graph. The loss is the natural one (train.h), or squared error if that needs labels and the data
/// have targets. Throws ShapeError if the data do not fit the network.
std::vector<InspectedValue> inspect(Network& network, const Dataset& data, std::size_t first, std::size_t count,
                                    InspectBy by = InspectBy::reference);

}  // namespace chalk
