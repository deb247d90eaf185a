#include "src/run/rounding.h"

#include <algorithm>
#include <cmath>

namespace chalk {
namespace {

constexpr std::uint64_t kRuns = 8;

}  // namespace

std::vector<std::vector<double>> rounding_of(Reference& reference, std::span<const NodeId> values, double unit) {
  const auto run = [&](double by, std::uint64_t seed) {
    reference.perturb(by, seed);
    reference.run(values);
    std::vector<std::vector<double>> all;
    for (const NodeId id : values) all.push_back(reference.value(id));
    return all;
  };
  const auto exact = run(0, 0);
  std::vector<std::vector<double>> moved;
  moved.reserve(exact.size());
  for (const auto& value : exact) moved.emplace_back(value.size(), 0.0);
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const auto rounded = run(unit, seed);
    for (std::size_t k = 0; k < exact.size(); ++k) {
      for (std::size_t i = 0; i < exact[k].size(); ++i)
        moved[k][i] = std::max(moved[k][i], std::abs(rounded[k][i] - exact[k][i]));
    }
  }
  run(0, 0);
  return moved;
}

std::vector<std::vector<double>> double_rounding_of(Reference& reference, std::span<const NodeId> values) {
  constexpr double kCoarse = 0x1p-30, kUnit = 0x1p-53;
  auto moved = rounding_of(reference, values, kCoarse);
  for (auto& value : moved) {
    for (auto& x : value) x *= kUnit / kCoarse;
  }
  return moved;
}

}  // namespace chalk
