// check_derivation() about a graph that is there already, instead of a network that the text describes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "chalkgrad/check.h"
#include "chalkgrad/graph.h"

namespace chalk::math {

/// Judges the equations of `text`, in which the graph's values are called by `names`. Its inputs and parameters are
/// drawn at random: parameters as weights are, noise from 0 to 1, distributions as such, all others from -1 to 1,
/// unless the text says otherwise ("x in 0.1..1"). `samples`: of the batch; if there are several, they are the first
/// axis of batched values. Throws InputError as check_derivation() does.
CheckReport check_about(const Graph& graph, const std::map<NodeId, std::string>& names, std::int64_t samples,
                        std::string_view text, std::string_view origin, const CheckOptions& options = {});

}  // namespace chalk::math
