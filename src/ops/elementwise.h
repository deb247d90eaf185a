// What elementwise operations share: how their kernels go over operands that broadcast, and samples to test them on.
#pragma once

#include <cstddef>
#include <vector>

#include "src/base/target.h"
#include "src/ops/kernel.h"

namespace chalk {

constexpr std::size_t kMostOperands = 3;

/// As a Sweep, but of one sample in double.
using DoubleSweep = void (*)(const double* const* in, double* out, std::size_t count);

/// Kernels that gather some places of each operand, in the output's order, and have them swept over.
void sweep_reference(const KernelCall& call, DoubleSweep sweep);
void sweep_lanes(const KernelCall& call, Sweep sweep);
void sweep_shared(const KernelCall& call, Sweep sweep);  // sixteen floats at a time: hence the bits of lanes

/// The kernels of an operation; kCopies are those of its sweep, one for each instruction set (CHALK_EXPORT).
template <const auto& kCopies, DoubleSweep kReference>
constexpr Kernels elementwise_kernels() {
  return {[](const KernelCall& call) { sweep_reference(call, kReference); },
          [](const KernelCall& call) { sweep_lanes(call, kCopies[chosen_target()]); },
          [](const KernelCall& call) { sweep_shared(call, kCopies[chosen_target()]); },
          []() -> Sweep { return kCopies[chosen_target()]; }};
}

/// Samples of an operation on one value, drawn between low and high.
std::vector<Sample> one_between(double low, double high);

/// Samples of an operation on two values that broadcast in all ways, the second one drawn between low and high.
std::vector<Sample> two_between(double low, double high);

/// All of these samples.
std::vector<Sample> joined(std::vector<Sample> samples, const std::vector<Sample>& more);

}  // namespace chalk
