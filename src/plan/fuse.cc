#include <algorithm>
#include <stdexcept>

#include "src/base/text.h"
#include "src/ir/op.h"
#include "src/ops/registry.h"
#include "src/plan/kernel.h"
#include "src/plan/tuned.h"

namespace chalk {

Fusion::Fusion(const Graph& graph)
    : graph_(graph),
      users_(static_cast<std::size_t>(graph.size())),
      roots_(users_.size(), false),
      claimed_(users_.size(), false),
      phases_(users_.size(), 0) {
  for (const auto& [name, id] : graph.outputs()) mark_root(id);
  for (const auto& [leaf, id] : graph.updates()) mark_root(id);
  for (NodeId id = graph.size(); id-- > 0;) {  // what nothing needs is nobody's work
    const auto at = static_cast<std::size_t>(id);
    claimed_[at] = !roots_[at] && users_[at].empty();
    if (claimed_[at]) continue;
    for (const auto input : graph.node(id).inputs) {
      auto& users = users_[static_cast<std::size_t>(input)];
      if (users.empty() || users.back() != id) users.push_back(id);
    }
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& n = graph.node(id);
    auto& phase = phases_[static_cast<std::size_t>(id)];
    for (const auto input : n.inputs) phase = std::max(phase, phases_[static_cast<std::size_t>(input)]);
    if (n.op == &op_batch_sum) ++phase;  // known once all microbatches are through
  }
  // What is cheap and shared by all samples waits for what it is used with, to run in one sweep with it.
  for (NodeId id = graph.size(); id-- > 0;) {
    const Node& n = graph.node(id);
    if (n.type.batched || !n.op->kernels.value.sweep || is_root(id) || users(id).empty()) continue;
    auto first = this->phase(users(id)[0]);
    for (const auto user : users(id)) first = std::min(first, this->phase(user));
    phases_[static_cast<std::size_t>(id)] = std::max(this->phase(id), first);
  }
}

void Fusion::mark_root(NodeId id) {
  roots_[static_cast<std::size_t>(id)] = true;
  roots_[static_cast<std::size_t>(root(id))] = true;
}

NodeId Fusion::root(NodeId id) const {
  while (graph_.node(id).op == &op_reshape) id = graph_.node(id).inputs[0];
  return id;
}

NodeId Fusion::only_user(NodeId id) const { return !is_root(id) && users(id).size() == 1 ? users(id)[0] : -1; }

bool Fusion::claim(std::unique_ptr<PlannedKernel> kernel) {
  if (kernel->nodes.size() > 1 && !acyclic_with({&kernel->nodes, 1})) return false;
  for (const auto id : kernel->nodes) claimed_[static_cast<std::size_t>(id)] = true;
  kernels.push_back(std::move(kernel));
  return true;
}

bool Fusion::acyclic_with(std::span<const std::vector<NodeId>> groups) const {
  // Each cluster acts at its first node; sort clusters topologically, unclaimed nodes being clusters of one.
  const auto count = static_cast<std::size_t>(graph_.size());
  std::vector<NodeId> cluster(count);
  for (std::size_t id = 0; id < count; ++id) cluster[id] = static_cast<NodeId>(id);
  const auto merge = [&](const std::vector<NodeId>& nodes) {
    for (const auto id : nodes) cluster[static_cast<std::size_t>(id)] = nodes[0];
  };
  for (const auto& kernel : kernels) merge(kernel->nodes);
  for (const auto& group : groups) merge(group);
  std::vector<int> waiting(count, 0);
  const auto each_edge = [&](std::size_t id, auto f) {
    for (const auto input : graph_.node(static_cast<NodeId>(id)).inputs) {
      const auto from = cluster[static_cast<std::size_t>(input)], to = cluster[id];
      if (from != to) f(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
    }
  };
  std::vector<std::vector<std::size_t>> successors(count);
  for (std::size_t id = 0; id < count; ++id) {
    each_edge(id, [&](std::size_t from, std::size_t to) {
      ++waiting[to];
      successors[from].push_back(to);
    });
  }
  std::vector<std::size_t> ready;
  std::size_t done = 0, total = 0;
  for (std::size_t id = 0; id < count; ++id) {
    if (cluster[id] != static_cast<NodeId>(id)) continue;
    ++total;
    if (waiting[id] == 0) ready.push_back(id);
  }
  while (!ready.empty()) {
    const auto id = ready.back();
    ready.pop_back();
    ++done;
    for (const auto to : successors[id]) {
      if (--waiting[to] == 0) ready.push_back(to);
    }
  }
  return done == total;
}

std::vector<std::unique_ptr<PlannedKernel>> fuse(const Graph& graph, bool tuned) {
  Fusion fusion(graph);
  const auto is_work = [&](NodeId id) {
    const Op& op = *graph.node(id).op;
    return !is_leaf(op) && &op != &op_reshape && !fusion.claimed(id);
  };
  if (tuned) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (!is_work(id)) continue;
#define CHALK_TUNED(name) \
  if (claim_##name(fusion, id)) continue;
#include "src/plan/kernel_list.inc"
#undef CHALK_TUNED
    }
    claim_sweeps(fusion);
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (is_work(id)) claim_single(fusion, id);
  }
  return std::move(fusion.kernels);
}

std::string print_kernels(const Graph& graph, const std::vector<std::unique_ptr<PlannedKernel>>& kernels) {
  const auto reference = [&](NodeId id) {
    const auto& name = graph.node(id).name;
    return name.empty() ? str("%", id) : str("%", id, " ", name);
  };
  std::string text;
  for (const auto& kernel : kernels) {
    text += kernel->name + "(";
    for (std::size_t i = 0; i < kernel->inputs.size(); ++i) text += (i ? ", " : "") + reference(kernel->inputs[i]);
    text += ") ->";
    for (const auto id : kernel->outputs) text += " " + reference(id) + " : " + to_string(graph.node(id).type);
    text += "\n";
  }
  return text;
}

}  // namespace chalk
