// A picture of where kernels are below the machine's roofs.
#pragma once

#include <string>

#include "chalkgrad/benchmark.h"

namespace chalk::app {

/// The roofline of a profile as SVG, in light and dark colours: FLOP per byte to the right, GFLOP/s upwards, both in
/// logarithms, a circle for each kernel that multiplies, its area the kernel's share of the time, with a list of those
/// that take most. `shares.bandwidth` must have been measured.
std::string roofline_svg(const Shares& shares, int threads, const std::string& title);

}  // namespace chalk::app
