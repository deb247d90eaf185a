// What tests against PyTorch's trajectories share: what tools/average_trajectories.py and tools/network_trajectories.py
// begin with, too.
#pragma once

#include <cstddef>
#include <vector>

namespace chalk::train_testing {

inline constexpr int kRecordedSamples = 6;       // of three numbers and two classes
inline constexpr double kRecordedBound = 1e-12;  // of what double may differ by, relative, after all steps

/// What the network's parameter of that number is before the first step.
inline std::vector<double> recorded_values(int parameter, std::size_t count) {
  std::vector<double> values;
  for (std::size_t j = 0; j < count; ++j)
    values.push_back((5 * static_cast<int>(j) + 3 * parameter + 2) % 13 / 6.0 - 1);
  return values;
}

inline std::vector<double> recorded_samples(double scale = 1) {
  std::vector<double> x;
  for (int i = 0; i < kRecordedSamples; ++i) {
    for (int k = 0; k < 3; ++k) x.push_back(scale * ((7 * i + 3 * k) % 11 / 5.0 - 1));
  }
  return x;
}

/// As distributions.
inline std::vector<double> recorded_labels() {
  std::vector<double> t;
  for (int i = 0; i < kRecordedSamples; ++i) t.insert(t.end(), {i % 2 == 0 ? 1.0 : 0.0, i % 2 == 0 ? 0.0 : 1.0});
  return t;
}

}  // namespace chalk::train_testing
