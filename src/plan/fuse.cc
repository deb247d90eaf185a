#include "src/plan/fuse.h"

#include <algorithm>
#include <set>

#include "src/base/text.h"
#include "src/ir/op.h"
#include "src/ops/registry.h"
#include "src/plan/tuned.h"

namespace chalk {

NodeId source_of(const Graph& graph, NodeId id) {
  while (graph.node(id).op == &op_reshape) id = graph.node(id).inputs[0];
  return id;
}

Fusion::Fusion(const PhasedGraph& phased)
    : phased_(phased),
      graph_(phased.graph),
      users_(graph_),
      needed_outside_(find_needed_outside(graph_)),
      claimed_(graph_, false),
      cluster_of_(graph_, -1),
      marks_(graph_, 0) {
  for (NodeId id = graph_.size(); id-- > 0;) {  // what nothing needs is not computed
    claimed_[id] = !needed_outside_[id] && users_[id].empty();
    if (claimed_[id]) continue;
    for (const auto input : node(id).inputs) {
      auto& users = users_[input];
      if (users.empty() || users.back() != id) users.push_back(id);
    }
  }
}

NodeId Fusion::only_user(NodeId id) const {
  if (is_needed_outside(id) || users(id).size() != 1) return -1;
  return phase(users(id)[0]) == phase(id) ? users(id)[0] : -1;
}

bool Fusion::claim(std::unique_ptr<PlannedKernel> kernel) {
  if (kernel->nodes.size() > 1 && !join(kernel->nodes)) return false;
  kernel->phase = phase(kernel->nodes[0]);
  for (const auto id : kernel->nodes) claimed_[id] = true;
  kernels.push_back(std::move(kernel));
  return true;
}

bool Fusion::join(std::span<const NodeId> nodes) {
  std::vector<NodeId> all;
  std::set<int> joined;
  for (const auto id : nodes) {
    const int cluster = cluster_of_[id];
    if (cluster < 0) {
      all.push_back(id);
    } else if (joined.insert(cluster).second) {
      const auto& members = clusters_[static_cast<std::size_t>(cluster)];
      all.insert(all.end(), members.begin(), members.end());
    }
  }
  if (needs_itself(all)) return false;
  for (const auto id : all) cluster_of_[id] = static_cast<int>(clusters_.size());
  clusters_.push_back(std::move(all));
  return true;
}

bool Fusion::needs_itself(const std::vector<NodeId>& cluster) {
  // What others make for it is followed back. Phases only grow along the way, so that none but its own need be seen.
  const int now = phase(cluster[0]), own = ++mark_, seen = ++mark_;
  const auto mark = [&](NodeId id) -> int& { return marks_[id]; };
  std::vector<NodeId> open;
  for (const auto id : cluster) mark(id) = own;
  const auto follow = [&](NodeId id) {
    for (const auto input : node(id).inputs) {
      if (mark(input) == own || mark(input) == seen || phase(input) != now || is_leaf(*node(input).op)) continue;
      mark(input) = seen;
      open.push_back(input);
    }
  };
  for (const auto id : cluster) follow(id);
  const auto reads_it = [&](NodeId id) {
    return std::any_of(node(id).inputs.begin(), node(id).inputs.end(),
                       [&](NodeId input) { return mark(input) == own; });
  };
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    const int other = cluster_of_[id];
    const std::span<const NodeId> together =
        other < 0 ? std::span(&id, 1) : std::span<const NodeId>(clusters_[static_cast<std::size_t>(other)]);
    for (const auto member : together) {
      if (reads_it(member)) return true;
      mark(member) = seen;
      follow(member);
    }
  }
  return false;
}

namespace {

/// What a kernel makes in parts, and one other alone reads, is made by that one where it reads it, while it is in
/// cache.
void make_parts_where_read(const Graph& graph, KernelList& kernels) {
  const auto readers = find_readers(graph, kernels);
  const auto needed_outside = find_needed_outside(graph);
  std::vector<bool> has_maker(kernels.size(), false);
  for (auto& maker : kernels) {
    if (!maker || !maker->parts || !maker->parts->floats) continue;
    const NodeId made = maker->outputs[0];
    if (needed_outside[made] || readers[made].size() != 1) continue;
    const auto [reader, input] = readers[made][0];
    if (has_maker[reader] || kernels[reader]->inputs[input] != made) continue;
    auto both = kernels[reader]->with_maker(input, maker);
    if (!both) continue;
    kernels[reader] = std::move(both);
    has_maker[reader] = true;
  }
  std::erase(kernels, nullptr);
}

}  // namespace

KernelList fuse(const PhasedGraph& phased, bool tuned) {
  const Graph& graph = phased.graph;
  Fusion fusion(phased);
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
  make_parts_where_read(graph, fusion.kernels);
  return std::move(fusion.kernels);
}

PerNode<std::vector<Reader>> find_readers(const Graph& graph, const KernelList& kernels) {
  PerNode<std::vector<Reader>> readers(graph);
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const auto& inputs = kernels[k]->inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) readers[source_of(graph, inputs[i])].push_back({k, i});
  }
  return readers;
}

PerNode<bool> find_needed_outside(const Graph& graph) {
  PerNode<bool> needed(graph, false);
  const auto mark = [&](NodeId id) { needed[id] = needed[source_of(graph, id)] = true; };
  for (const auto& [name, id] : graph.outputs()) mark(id);
  for (const auto& [leaf, id] : graph.updates()) mark(id);
  return needed;
}

std::string print_kernels(const Graph& graph, const KernelList& kernels) {
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
    text += '\n';
  }
  return text;
}

}  // namespace chalk
