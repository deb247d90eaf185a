#include "src/plan/recompute.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "chalkgrad/cost.h"
#include "src/ir/leaves.h"
#include "src/ops/registry.h"
#include "src/passes/rewrite.h"
#include "src/plan/fuse.h"
#include "src/plan/locations.h"

namespace chalk {
namespace {

/// Multiply-adds in the time that an elementwise operation takes for an element: those are bound by memory.
constexpr double kElement = 40;

/// A value that is kept: a later phase reads it.
struct Kept {
  NodeId id = -1;
  double floats = 0;  // of a microbatch
  int made = 0;
  std::set<int> read;  // phases

  // What it takes to compute it again:
  bool possible = true;
  double work = 0;                // multiply-adds of a sample
  std::vector<std::size_t> from;  // kept values
};

/// From when on a value that is dropped is there again, and when it was read last before.
struct Gap {
  int last = 0, next = 0;
};

using Choice = std::vector<bool>;  // of each kept value: dropped

/// Batched values that a later phase reads; a reshape's value is its input's.
PerNode<bool> find_kept(const PhasedGraph& p) {
  PerNode<bool> kept(p.graph, false);
  for (NodeId id = 0; id < p.graph.size(); ++id) {
    for (const auto input : p.graph.node(id).inputs) {
      const NodeId from = source_of(p.graph, input);
      const Node& node = p.graph.node(from);
      if (node.type.batched && node.op != &op_input && p.phase[id] > p.phase[from]) kept[from] = true;
    }
  }
  return kept;
}

/// Which phase's values a node reads: over the batch, it reads what all microbatches have made before.
int reads_at(const PhasedGraph& p, NodeId id) {
  const bool waits = p.over_batch[id] && p.graph.node(id).op != &op_batch_sum;
  return p.phase[id] - (waits ? 1 : 0);
}

class Chooser {
 public:
  Chooser(const PhasedGraph& phased, double most) : p_(phased), most_(most), place_(phased.graph, -1) {
    list_kept();
    for (auto& value : kept_) {
      std::set<NodeId> region;
      walk(value, value.id, region);
    }
  }

  /// In which phase each value that is worth it is computed again; −1: it is kept.
  PerNode<int> run() {
    Choice dropped(kept_.size(), false);
    while (excess(dropped) > 0 && drop_one(dropped)) {
    }
    for (std::size_t i = 0; i < kept_.size(); ++i) {  // some may have become needless
      if (!dropped[i]) continue;
      const double before = excess(dropped);
      dropped[i] = false;
      if (excess(dropped) > before) dropped[i] = true;
    }
    PerNode<int> again(p_.graph, -1);
    const auto gaps = gaps_of(dropped);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (dropped[i] && gaps[i].next > gaps[i].last + 1) again[kept_[i].id] = gaps[i].next;
    }
    return again;
  }

 private:
  const Node& node(NodeId id) const { return p_.graph.node(id); }
  void list_kept() {
    const auto kept = find_kept(p_);
    PerNode<std::set<int>> read(p_.graph);
    for (NodeId id = 0; id < p_.graph.size(); ++id) {
      if (node(id).op == &op_reshape) continue;
      for (const auto input : node(id).inputs) read[source_of(p_.graph, input)].insert(reads_at(p_, id));
    }
    for (NodeId id = 0; id < p_.graph.size(); ++id) {
      if (!kept[id]) continue;
      place_[id] = static_cast<int>(kept_.size());
      Kept& value = kept_.emplace_back();
      value.id = id;
      value.floats = static_cast<double>(floats_of(node(id).type));
      value.made = p_.phase[id];
      value.read = read[id];
    }
  }

  /// Adds the operations that lead from kept values, inputs and shared values to this one.
  void walk(Kept& value, NodeId id, std::set<NodeId>& region) {
    if (!region.insert(id).second) return;
    value.possible = value.possible && !p_.over_batch[id];
    value.work += static_cast<double>(multiply_adds(p_.graph, id));
    if (node(id).op != &op_reshape) value.work += kElement * static_cast<double>(elements(node(id).type.shape));
    for (const auto input : node(id).inputs) {
      const NodeId from = source_of(p_.graph, input);
      if (!node(from).type.batched || node(from).op == &op_input) continue;
      if (place_[from] < 0) {
        walk(value, from, region);
      } else if (region.insert(from).second) {
        value.from.push_back(static_cast<std::size_t>(place_[from]));
      }
    }
  }

  /// Of each dropped value, the longest time that nobody reads it.
  std::vector<Gap> gaps_of(const Choice& dropped, std::vector<int>* last_read = nullptr) const {
    std::vector<Gap> gaps(kept_.size());
    std::vector<std::vector<int>> more(kept_.size());  // reads by what is computed again
    for (std::size_t i = kept_.size(); i-- > 0;) {
      const Kept& value = kept_[i];
      std::vector<int> reads(value.read.begin(), value.read.end());
      reads.insert(reads.end(), more[i].begin(), more[i].end());
      std::sort(reads.begin(), reads.end());
      if (last_read) (*last_read)[i] = reads.back();
      Gap& gap = gaps[i] = {value.made, value.made};
      int at = value.made;
      for (const int next : reads) {
        if (next - at > gap.next - gap.last) gap = {at, next};
        at = next;
      }
      if (!dropped[i] || gap.next <= gap.last + 1) continue;
      for (const auto from : value.from) more[from].push_back(gap.next);
    }
    return gaps;
  }

  /// Floats above the limit, summed over all phases.
  double excess(const Choice& dropped) const {
    std::vector<int> last(kept_.size());
    const auto gaps = gaps_of(dropped, &last);
    std::vector<double> change(p_.phase.size() + 2, 0.0);
    const auto live = [&](int from, int to, double floats) {
      change[static_cast<std::size_t>(from)] += floats;
      change[static_cast<std::size_t>(to) + 1] -= floats;
    };
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const Kept& value = kept_[i];
      if (dropped[i] && gaps[i].next > gaps[i].last + 1) {
        live(value.made, gaps[i].last, value.floats);
        live(gaps[i].next, last[i], value.floats);
      } else {
        live(value.made, last[i], value.floats);
      }
    }
    double sum = 0, now = 0;
    for (const double more : change) {
      now += more;
      sum += std::max(0.0, now - most_);
    }
    return sum;
  }

  bool drop_one(Choice& dropped) const {
    const double before = excess(dropped);
    double best = 0;
    std::size_t chosen = kept_.size();
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (dropped[i] || !kept_[i].possible) continue;
      dropped[i] = true;
      const double worth = (before - excess(dropped)) / kept_[i].work;
      dropped[i] = false;
      if (worth > best) {
        best = worth;
        chosen = i;
      }
    }
    if (chosen == kept_.size()) return false;
    dropped[chosen] = true;
    return true;
  }

  const PhasedGraph& p_;
  const double most_;
  PerNode<int> place_;  // in kept_, or −1
  std::vector<Kept> kept_;
};

/// Builds the graph anew, with copies of values just before they are read again.
class Builder {
 public:
  Builder(const PhasedGraph& old, const PerNode<int>& again)
      : old_(old), again_(again), kept_(find_kept(old)), r_(old.graph) {}

  PhasedGraph run() {
    for (NodeId id = 0; id < old_.graph.size(); ++id) {
      Node copy = old_.graph.node(id);
      for (auto& input : copy.inputs) input = seen(input, reads_at(old_, id));
      r_.map(id, append(std::move(copy), old_.phase[id], old_.over_batch[id]));
    }
    new_.graph = r_.finish();
    return std::move(new_);
  }

 private:
  NodeId append(Node node, int phase, bool over_batch) {
    new_.phase.push_back(phase);
    new_.over_batch.push_back(over_batch);
    return r_.append(std::move(node));
  }

  /// An old value as those see it who read it in that phase.
  NodeId seen(NodeId id, int phase) {
    const NodeId from = source_of(old_.graph, id);
    const Node& node = old_.graph.node(from);
    if (!node.type.batched || node.op == &op_input) return r_.mapped(id);
    if (again_[from] >= 0 && phase >= again_[from]) return made_again(id, again_[from]);
    return kept_[from] || phase == old_.phase[from] ? r_.mapped(id) : made_again(id, phase);
  }

  NodeId made_again(NodeId id, int phase) {
    if (const auto found = made_.find({id, phase}); found != made_.end()) return found->second;
    Node copy = old_.graph.node(id);
    copy.name.clear();
    for (auto& input : copy.inputs) input = copy.op == &op_reshape ? made_again(input, phase) : seen(input, phase);
    return made_[{id, phase}] = append(std::move(copy), phase, false);
  }

  const PhasedGraph& old_;
  const PerNode<int>& again_;
  const PerNode<bool> kept_;
  Rewriter r_;
  PhasedGraph new_;
  std::map<std::pair<NodeId, int>, NodeId> made_;
};

}  // namespace

PhasedGraph compute_again(const PhasedGraph& phased, std::size_t most) {
  const auto again = Chooser(phased, static_cast<double>(most)).run();
  return Builder(phased, again).run();
}

}  // namespace chalk
