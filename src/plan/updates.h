// Which updates of parameters are made in place.
#pragma once

#include <map>
#include <optional>

#include "src/plan/waves.h"

namespace chalk {

/// The value that must be known before any parameter is updated.
struct Guard {
  int phase = 0, wave = 0;  // after which it is known
};

/// Next value → parameter that it is written over: where its kernel runs after the guard and after all that reads the
/// parameter. A kernel that would run too early for the guard is moved to a later wave, if nothing reads what it makes.
std::map<NodeId, NodeId> update_in_place(const Graph& graph, const KernelList& kernels, const KernelPhases& phases,
                                         const std::optional<Guard>& guard, Waves& waves);

}  // namespace chalk
