#include "src/run/variable_watch.h"

#include <cstring>

namespace chalk {

VariableWatch::VariableWatch(std::span<const std::string> names, Variables& variables) {
  for (const auto& name : names) {
    const Tensor& tensor = variables.at(name);
    const auto count = tensor.values().size();
    seen_.push_back({tensor.data_.get(), count, tensor.history_.get(), 0, {}});
  }
}

std::size_t VariableWatch::bytes() const {
  std::size_t sum = 0;
  for (const auto& one : seen_) sum += one.count * sizeof(float);
  return sum;
}

bool VariableWatch::changed(Seen& seen) {
  const auto changes = seen.history->changes.load(std::memory_order_acquire);
  bool changed = changes != seen.changes;
  seen.changes = changes;
  if (!seen.history->handed_out.load(std::memory_order_acquire)) return changed;
  const auto bytes = seen.count * sizeof(float);
  if (seen.copy.size() == 0) {
    seen.copy = AlignedFloats(seen.count);
    changed = true;
  }
  changed = changed || std::memcmp(seen.copy.data(), seen.data, bytes) != 0;
  if (changed) std::memcpy(seen.copy.data(), seen.data, bytes);
  return changed;
}

bool VariableWatch::changed() {
  bool any = first_;
  first_ = false;
  for (auto& seen : seen_) any |= changed(seen);
  return any;
}

void VariableWatch::wrote(std::size_t variable) const {
  seen_[variable].history->changes.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace chalk
