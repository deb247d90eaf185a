#include "src/train/snapshot.h"

#include <algorithm>
#include <utility>

namespace chalk {

Snapshot::Snapshot(Variables& variables, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    Tensor& variable = variables.at(name);
    const auto now = std::as_const(variable).values();
    copies_.push_back({&variable, {now.begin(), now.end()}});
  }
}

void Snapshot::take() {
  for (auto& [variable, values] : copies_) std::ranges::copy(std::as_const(*variable).values(), values.begin());
}

void Snapshot::restore() const {
  for (const auto& [variable, values] : copies_) variable->assign(values);
}

std::size_t Snapshot::size() const {
  std::size_t sum = 0;
  for (const auto& copy : copies_) sum += copy.values.size();
  return sum;
}

}  // namespace chalk
