#include "src/plan/order.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "src/plan/fuse.h"

namespace chalk {

void order_kernels(const Graph& graph, KernelList& kernels) {
  constexpr auto none = static_cast<std::size_t>(-1);
  PerNode<std::size_t> owner(graph, none);
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    for (const auto id : kernels[k]->nodes) owner[id] = k;
  }
  std::vector<int> waiting(kernels.size(), 0);
  std::vector<std::vector<std::size_t>> users(kernels.size());
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    for (const auto id : kernels[k]->inputs) {
      const auto from = owner[source_of(graph, id)];
      if (from == none) continue;
      users[from].push_back(k);
      ++waiting[k];
    }
  }
  std::map<NodeId, std::size_t> ready;  // by the last node, so that work stays near what it follows
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    if (waiting[k] == 0) ready[kernels[k]->nodes.back()] = k;
  }
  KernelList sorted;
  while (!ready.empty()) {
    const auto k = ready.begin()->second;
    ready.erase(ready.begin());
    for (const auto user : users[k]) {
      if (--waiting[user] == 0) ready[kernels[user]->nodes.back()] = user;
    }
    sorted.push_back(std::move(kernels[k]));
  }
  if (sorted.size() != kernels.size()) throw std::logic_error("plan: the kernels cannot be put in an order");
  kernels = std::move(sorted);
}

KernelPhases assign_phases(const Graph& graph, const KernelList& kernels) {
  KernelPhases phases{{}, PerNode<int>(graph, 0)};
  for (const auto& kernel : kernels) {
    int phase = kernel->phase;
    for (const auto id : kernel->inputs) {
      const bool waits = kernel->scope == PlannedKernel::Scope::batch && graph.node(id).type.batched;
      phase = std::max(phase, phases.value[source_of(graph, id)] + (waits ? 1 : 0));  // for all microbatches
    }
    phases.kernel.push_back(phase);
    const int there = phase + (kernel->sums_batch ? 1 : 0);
    for (const auto id : kernel->outputs) phases.value[id] = there;
    phases.count = std::max(phases.count, there + 1);
  }
  return phases;
}

}  // namespace chalk
