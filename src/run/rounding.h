// How far rounding moves the values of a graph: what their conditioning makes of errors in the last place.
//
// The graph is run again, in double, with every number changed at random by up to `unit` of itself as it is stored
// (Reference::perturb). To first order a value then moves by a sum of such changes, each multiplied by what became of
// it later: where large terms cancel, by as much as their size demands, however small the result is. What sums round
// inside of an operation is of the same size as changes of its operands. The largest of kRuns moves is the estimate;
// kSafety of them are what rounding may do. That leaves room for sums of hundreds of terms, whose rounding adds up, for
// functions and transforms (Winograd's) that are within some roundings, and for an estimate that came out low.
#pragma once

#include <span>
#include <vector>

#include "src/run/reference.h"

namespace chalk {

constexpr double kSafety = 64;

/// For each element of each of `values`: how far it moves if numbers are rounded relatively by up to `unit`. The leaves
/// must be set. Ends with a run without rounding.
std::vector<std::vector<double>> rounding_of(Reference& reference, std::span<const NodeId> values, double unit);

/// The same for doubles. It is seen at a coarser unit, where it stands out from the rounding of the doubles themselves.
std::vector<std::vector<double>> double_rounding_of(Reference& reference, std::span<const NodeId> values);

}  // namespace chalk
