// Computes values again instead of keeping them for later phases, where memory is short.
#pragma once

#include <cstddef>

#include "src/plan/phases.h"

namespace chalk {

/// The same graph, in which some values that would be kept are computed again in the phase that needs them next, from
/// others that are kept: until what is kept of a microbatch takes at most `most` floats, or no choice lessens it.
/// Results have the same bits.
///
/// This is rematerialisation (Griewank & Walther 2000; Chen et al. 2016, "Training deep nets with sublinear memory
/// cost"), with values chosen one by one by the memory that each saves in phases that are above the limit, for each
/// multiply-add that it costs.
PhasedGraph compute_again(const PhasedGraph& phased, std::size_t most);

}  // namespace chalk
