#include "src/run/profile.h"

namespace chalk {

void Profile::expect(const std::vector<std::unique_ptr<PlannedKernel>>& kernels) {
  for (const auto& kernel : kernels) kernels_[kernel.get()] = alone_[kernel.get()] = {};
}

void Profile::add_to(std::vector<KernelTime>& rows, const std::vector<std::unique_ptr<PlannedKernel>>& kernels) const {
  constexpr std::array<const char*, 7> kNames = {"fetch samples",   "gather samples", "transpose samples",
                                                 "deliver outputs", "pack weights",   "fold sums",
                                                 "copy values"};
  if (rows.empty()) {
    for (const auto& kernel : kernels) rows.push_back({kernel->name, kernel->nodes, 0, 0});
    for (const auto& kernel : kernels) rows.push_back({kernel->name + ", one sample", kernel->nodes, 0, 0});
    for (const auto* name : kNames) rows.push_back({name, {}, 0, 0});
  }
  const auto add = [](KernelTime& row, const Time& time) {
    row.calls += time.calls;
    row.seconds += std::chrono::duration<double>(time.spent).count();
  };
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    add(rows[k], kernels_.at(kernels[k].get()));
    add(rows[kernels.size() + k], alone_.at(kernels[k].get()));
  }
  for (std::size_t b = 0; b < between_.size(); ++b) add(rows[2 * kernels.size() + b], between_[b]);
}

}  // namespace chalk
