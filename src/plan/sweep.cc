// Which nodes run together in a sweep (src/plan/sweep_plan.h).
#include <algorithm>
#include <map>
#include <set>

#include "src/plan/sweep_kernel.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

bool sums(const Graph& graph, NodeId id) { return sums_channels(graph, id) || sums_places(graph, id); }

/// Shared values are swept sixteen elements at a time, which leaves no room for broadcasting but that of one number.
bool sweepable(const Fusion& fusion, NodeId id) {
  const Node& node = fusion.node(id);
  if (fusion.claimed(id)) return false;
  if (sums(fusion.graph(), id)) return true;
  if (!node.op->kernels.value.sweep) return false;
  if (node.type.batched) return true;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) {
    const Shape& shape = fusion.node(input).type.shape;
    return shape == node.type.shape || elements(shape) == 1;
  });
}

struct Group {
  Type domain;  // of what is swept over
  std::vector<NodeId> members;
};

class Grouping {
 public:
  explicit Grouping(Fusion& fusion) : fusion_(fusion) {}

  /// Groups grow along the graph's order: a node joins those of its operands.
  void add(NodeId id) {
    const Node& node = fusion_.node(id);
    const Type& domain = sums(fusion_.graph(), id) ? fusion_.node(node.inputs[0]).type : node.type;
    group_of_[id] = groups_.size();
    groups_.push_back({domain, {id}});
    for (const auto input : node.inputs) {
      const auto found = group_of_.find(input);
      if (found != group_of_.end()) merge(found->second, group_of_[id]);
    }
  }

  void claim() {
    for (auto& group : groups_) {
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end());
      fusion_.claim(make_sweep_kernel(plan_sweep(fusion_, std::move(group.members), group.domain)));
    }
  }

 private:
  void merge(std::size_t into, std::size_t from) {
    auto &a = groups_[into], &b = groups_[from];
    if (into == from || a.domain != b.domain || fusion_.phase(a.members[0]) != fusion_.phase(b.members[0])) return;
    if (values(a, b) > SweepPlan::kMostValues || reads_sums_across(a, b) || sums_both_ways(a, b)) return;
    const NodeId ends[] = {a.members[0], b.members[0]};
    if (!fusion_.join(ends)) return;
    for (const auto id : b.members) group_of_[id] = into;
    a.members.insert(a.members.end(), b.members.begin(), b.members.end());
    b.members.clear();
  }

  /// A sum over a channel's places is read at those places, or not at all: [4] in 4×4×4 would be one per column. A sum
  /// over the channels of a place is there only after all of them.
  bool reads_sums_across(const Group& a, const Group& b) const {
    const auto across = [&](NodeId id) {
      const auto& inputs = fusion_.node(id).inputs;
      return std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) {
        const auto group = group_of_.find(input);
        const bool theirs =
            group != group_of_.end() && (&groups_[group->second] == &a || &groups_[group->second] == &b);
        return theirs && (sums_places(fusion_.graph(), input) ||
                          (sums_channels(fusion_.graph(), input) &&
                           !is_by_channel(fusion_.node(input).type.shape, a.domain.shape)));
      });
    };
    return std::any_of(a.members.begin(), a.members.end(), across) ||
           std::any_of(b.members.begin(), b.members.end(), across);
  }

  /// A sweep goes either channel by channel, or through all channels of some places at a time.
  bool sums_both_ways(const Group& a, const Group& b) const {
    const auto any = [&](const Group& group, bool (*sums)(const Graph&, NodeId)) {
      return std::any_of(group.members.begin(), group.members.end(),
                         [&](NodeId id) { return sums(fusion_.graph(), id); });
    };
    return (any(a, sums_places) || any(b, sums_places)) && (any(a, sums_channels) || any(b, sums_channels));
  }

  std::size_t values(const Group& a, const Group& b) const {
    std::set<NodeId> all;
    for (const auto* group : {&a, &b}) {
      for (const auto id : group->members) {
        all.insert(id);
        all.insert(fusion_.node(id).inputs.begin(), fusion_.node(id).inputs.end());
      }
    }
    return all.size();
  }

  Fusion& fusion_;
  std::vector<Group> groups_;
  std::map<NodeId, std::size_t> group_of_;
};

}  // namespace

void claim_sweeps(Fusion& fusion) {
  Grouping grouping(fusion);
  for (NodeId id = 0; id < fusion.graph().size(); ++id) {
    if (sweepable(fusion, id)) grouping.add(id);
  }
  grouping.claim();
}

}  // namespace chalk
