#include "src/plan/recompute.h"

#include <algorithm>
#include <map>
#include <queue>
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
  std::vector<int> read;  // phases, in order

  // What it takes to compute it again:
  bool possible = true;
  double work = 0;                // multiply-adds of a sample
  std::vector<std::size_t> from;  // kept values
};

/// The longest time that nobody reads a value: from when on it is wanted again, and when it was read last before.
struct Gap {
  int last = 0, next = 0;
  bool worth_it() const { return next > last + 1; }
};

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
  Chooser(const PhasedGraph& phased, double most)
      : p_(phased),
        most_(most),
        place_(phased.graph, -1),
        phases_(1 + *std::max_element(phased.phase.begin(), phased.phase.end())) {
    list_kept();
    for (auto& value : kept_) {
      std::set<NodeId> region;
      walk(value, value.id, region);
    }
    dropped_.resize(kept_.size());
    gaps_.resize(kept_.size());
    last_.resize(kept_.size());
    more_.resize(kept_.size());
  }

  /// In which phase each value that is dropped is computed again; −1: it is kept.
  PerNode<int> run() {
    excess_ = excess();
    while (excess_ > 0 && drop_some()) {
    }
    for (std::size_t i = 0; i < kept_.size(); ++i) {  // some may have become needless
      if (!dropped_[i]) continue;
      dropped_[i] = false;
      const double without = excess();
      dropped_[i] = without > excess_;
      if (!dropped_[i]) excess_ = without;
    }
    find_gaps();
    PerNode<int> again(p_.graph, -1);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (dropped_[i] && gaps_[i].worth_it()) again[kept_[i].id] = gaps_[i].next;
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
      value.read.assign(read[id].begin(), read[id].end());
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

  /// What is computed again reads others, where it is.
  void find_gaps() {
    for (auto& reads : more_) reads.clear();
    for (std::size_t i = kept_.size(); i-- > 0;) {
      const Kept& value = kept_[i];
      reads_.assign(value.read.begin(), value.read.end());
      reads_.insert(reads_.end(), more_[i].begin(), more_[i].end());
      if (!more_[i].empty()) std::sort(reads_.begin(), reads_.end());
      last_[i] = reads_.back();
      Gap& gap = gaps_[i] = {value.made, value.made};
      int at = value.made;
      for (const int next : reads_) {
        if (next - at > gap.next - gap.last) gap = {at, next};
        at = next;
      }
      if (!dropped_[i] || !gap.worth_it()) continue;
      for (const auto from : value.from) more_[from].push_back(gap.next);
    }
  }

  /// Floats above the limit, summed over all phases.
  double excess() {
    find_gaps();
    change_.assign(static_cast<std::size_t>(phases_) + 1, 0.0);
    const auto live = [&](int from, int to, double floats) {
      change_[static_cast<std::size_t>(from)] += floats;
      change_[static_cast<std::size_t>(to) + 1] -= floats;
    };
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const Kept& value = kept_[i];
      if (dropped_[i] && gaps_[i].worth_it()) {
        live(value.made, gaps_[i].last, value.floats);
        live(gaps_[i].next, last_[i], value.floats);
      } else {
        live(value.made, last_[i], value.floats);
      }
    }
    double sum = 0, now = 0;
    for (const double more : change_) {
      now += more;
      sum += std::max(0.0, now - most_);
    }
    return sum;
  }

  /// Floats that dropping a value saves, for each multiply-add that it costs.
  double worth(std::size_t i) {
    dropped_[i] = true;
    const double saved = excess_ - excess();
    dropped_[i] = false;
    return saved / kept_[i].work;
  }

  /// Drops the best first. What a value is worth hardly ever grows while others are dropped, so only the one that was
  /// best is looked at again. False if there is nothing to gain.
  bool drop_some() {
    std::priority_queue<std::pair<double, std::size_t>> open;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (!dropped_[i] && kept_[i].possible) open.emplace(worth(i), i);
    }
    bool any = false;
    while (excess_ > 0 && !open.empty()) {
      const std::size_t i = open.top().second;
      open.pop();
      const double now = worth(i);
      if (now <= 0) continue;
      if (!open.empty() && now < open.top().first) {
        open.emplace(now, i);
        continue;
      }
      dropped_[i] = any = true;
      excess_ = excess();
    }
    return any;
  }

  const PhasedGraph& p_;
  const double most_;
  PerNode<int> place_;  // in kept_, or −1
  const int phases_;
  std::vector<Kept> kept_;
  double excess_ = 0;
  std::vector<bool> dropped_;  // of each kept value
  // Found anew for each choice:
  std::vector<Gap> gaps_;
  std::vector<int> last_;               // phase in which it is read last
  std::vector<std::vector<int>> more_;  // phases in which it is read by what is computed again
  std::vector<int> reads_;
  std::vector<double> change_;
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
