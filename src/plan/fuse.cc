#include <algorithm>
#include <set>

#include "src/base/text.h"
#include "src/ir/op.h"
#include "src/ops/registry.h"
#include "src/plan/kernel.h"
#include "src/plan/tuned.h"

namespace chalk {

NodeId source_of(const Graph& graph, NodeId id) {
  while (graph.node(id).op == &op_reshape) id = graph.node(id).inputs[0];
  return id;
}

Fusion::Fusion(const Graph& graph, const std::vector<int>& phases, const std::vector<bool>& over_batch)
    : graph_(graph),
      users_(static_cast<std::size_t>(graph.size())),
      needed_outside_(users_.size(), false),
      claimed_(users_.size(), false),
      phases_(phases),
      over_batch_(over_batch),
      cluster_of_(users_.size(), -1),
      marks_(users_.size(), 0) {
  for (const auto& [name, id] : graph.outputs()) mark_needed_outside(id);
  for (const auto& [leaf, id] : graph.updates()) mark_needed_outside(id);
  for (NodeId id = graph.size(); id-- > 0;) {  // what nothing needs is nobody's work
    const auto at = static_cast<std::size_t>(id);
    claimed_[at] = !needed_outside_[at] && users_[at].empty();
    if (claimed_[at]) continue;
    for (const auto input : graph.node(id).inputs) {
      auto& users = users_[static_cast<std::size_t>(input)];
      if (users.empty() || users.back() != id) users.push_back(id);
    }
  }
}

void Fusion::mark_needed_outside(NodeId id) {
  needed_outside_[static_cast<std::size_t>(id)] = true;
  needed_outside_[static_cast<std::size_t>(source(id))] = true;
}

NodeId Fusion::only_user(NodeId id) const {
  if (is_needed_outside(id) || users(id).size() != 1) return -1;
  return phase(users(id)[0]) == phase(id) ? users(id)[0] : -1;
}

bool Fusion::claim(std::unique_ptr<PlannedKernel> kernel) {
  if (kernel->nodes.size() > 1 && !join(kernel->nodes)) return false;
  kernel->phase = phase(kernel->nodes[0]);
  for (const auto id : kernel->nodes) claimed_[static_cast<std::size_t>(id)] = true;
  kernels.push_back(std::move(kernel));
  return true;
}

bool Fusion::join(std::span<const NodeId> nodes) {
  std::vector<NodeId> all;
  std::set<int> joined;
  for (const auto id : nodes) {
    const int cluster = cluster_of_[static_cast<std::size_t>(id)];
    if (cluster < 0) {
      all.push_back(id);
    } else if (joined.insert(cluster).second) {
      const auto& members = clusters_[static_cast<std::size_t>(cluster)];
      all.insert(all.end(), members.begin(), members.end());
    }
  }
  if (needs_itself(all)) return false;
  for (const auto id : all) cluster_of_[static_cast<std::size_t>(id)] = static_cast<int>(clusters_.size());
  clusters_.push_back(std::move(all));
  return true;
}

bool Fusion::needs_itself(const std::vector<NodeId>& cluster) {
  // What others make for it is followed back. Phases only grow along the way, so that none but its own need be seen.
  const int now = phase(cluster[0]), own = ++mark_, seen = ++mark_;
  const auto mark = [&](NodeId id) -> int& { return marks_[static_cast<std::size_t>(id)]; };
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
    const int other = cluster_of_[static_cast<std::size_t>(id)];
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
void make_parts_where_read(Fusion& fusion) {
  auto& kernels = fusion.kernels;
  for (auto& maker : kernels) {
    if (maker->part_floats == 0) continue;
    const NodeId made = maker->outputs[0];
    const auto [reader, input] = only_reader(fusion.graph(), kernels, made);
    if (reader && reader->inputs[input] == made) reader->read_parts(input, maker);
  }
  std::erase(kernels, nullptr);
}

}  // namespace

std::vector<std::unique_ptr<PlannedKernel>> fuse(const Graph& graph, const std::vector<int>& phases,
                                                 const std::vector<bool>& over_batch, bool tuned) {
  Fusion fusion(graph, phases, over_batch);
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
  make_parts_where_read(fusion);
  return std::move(fusion.kernels);
}

OnlyReader only_reader(const Graph& graph, const std::vector<std::unique_ptr<PlannedKernel>>& kernels, NodeId value) {
  const auto is_value = [&](const auto& given) { return source_of(graph, given.second) == value; };
  if (std::any_of(graph.outputs().begin(), graph.outputs().end(), is_value) ||
      std::any_of(graph.updates().begin(), graph.updates().end(), is_value))
    return {};
  OnlyReader reader;
  for (const auto& kernel : kernels) {
    for (std::size_t i = 0; kernel && i < kernel->inputs.size(); ++i) {
      if (source_of(graph, kernel->inputs[i]) != value) continue;
      if (reader.kernel) return {};
      reader = {kernel.get(), i};
    }
  }
  return reader;
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
