#include "src/plan/phases.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "src/ops/registry.h"
#include "src/passes/rewrite.h"

namespace chalk {
namespace {

/// It can run in one sweep with the elementwise operations that make its operand.
bool takes_sweeps(const Node& node) {
  return node.op->kernels.value.sweep || node.op == &op_sum || node.op == &op_mean;
}

/// A dense layer with more weights than this reads them once for the whole batch, and with all threads, instead of once
/// for each microbatch: beside other values they would not stay in a core's second-level cache (1 to 2 MB).
constexpr std::int64_t kManyWeights = 1 << 17;
constexpr std::int64_t kManyResults = 128;  // enough to share among threads

/// Nodes that run over the whole batch.
std::vector<bool> find_over_batch(const Graph& g) {
  std::vector<bool> over(static_cast<std::size_t>(g.size()), false);
  std::vector<int> uses(over.size(), 0);
  for (NodeId id = 0; id < g.size(); ++id) {
    for (const auto input : g.node(id).inputs) ++uses[static_cast<std::size_t>(input)];
  }
  for (const auto& [name, id] : g.outputs()) ++uses[static_cast<std::size_t>(id)];
  for (const auto& [leaf, id] : g.updates()) ++uses[static_cast<std::size_t>(id)];
  const auto batched = [&](NodeId id) { return g.node(id).type.batched; };
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& n = g.node(id);
    if (n.op == &op_dense && batched(n.inputs[0]) && !batched(n.inputs[1])) {
      over[static_cast<std::size_t>(id)] =
          elements(g.node(n.inputs[1]).type.shape) > kManyWeights && n.type.shape[0] >= kManyResults;
    } else if (n.op == &op_batch_sum && g.node(n.inputs[0]).op == &op_outer) {
      const NodeId outer = n.inputs[0];
      const auto& factors = g.node(outer).inputs;
      if (uses[static_cast<std::size_t>(outer)] != 1 || !batched(factors[0]) || !batched(factors[1])) continue;
      over[static_cast<std::size_t>(outer)] = over[static_cast<std::size_t>(id)] = true;
    }
  }
  return over;
}

class PhaseFinder {
 public:
  PhaseFinder(const Graph& old, bool tuned)
      : old_(old),
        size_(static_cast<std::size_t>(old.size())),
        tuned_(tuned),
        over_batch_(tuned ? find_over_batch(old) : std::vector<bool>(size_, false)),
        run_(size_, 0),
        there_(size_, 0),
        kept_(size_, false),
        through_(size_, false),
        sources_(size_),
        needed_(size_, false),
        anew_(size_) {
    for (std::size_t id = 0; id < size_; ++id) {
      for (const auto input : node(id).inputs) run_[id] = std::max(run_[id], there_[at(input)] + waits(id, input));
      there_[id] = run_[id] + (node(id).op == &op_batch_sum && !over_batch_[id] ? 1 : 0);
    }
  }

  PhasedGraph run() {
    if (tuned_) find_cheap_values();
    for (const auto& [name, id] : old_.outputs()) needed_[at(id)] = true;
    for (const auto& [leaf, id] : old_.updates()) needed_[at(id)] = true;
    for (std::size_t id = size_; id-- > 0;) {
      needed_[id] = needed_[id] || node(id).inputs.empty();
      if (needed_[id]) ask(id, run_[id], takes_sweeps(node(id)));
      for (const int phase : anew_[id]) ask(id, phase, true);
    }
    return build();
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  const Node& node(std::size_t id) const { return old_.node(static_cast<NodeId>(id)); }
  /// 1 if all microbatches must have made this operand before.
  int waits(std::size_t id, NodeId input) const {
    return over_batch_[id] && node(id).op != &op_batch_sum && old_.node(input).type.batched ? 1 : 0;
  }

  /// What the value is made from by cheap operations, where those are at most two of its size.
  void find_cheap_values() {
    for (std::size_t id = 0; id < size_; ++id) {
      for (const auto input : node(id).inputs) {
        if (there_[at(input)] < run_[id] && !takes_sweeps(node(id))) kept_[at(input)] = true;
      }
    }
    for (std::size_t id = 0; id < size_; ++id) {
      const Node& n = node(id);
      if (!n.type.batched || !n.op->cheap) continue;
      auto& sources = sources_[id];
      for (const auto input : n.inputs) {
        const Type& type = old_.node(input).type;
        if (!type.batched || elements(type.shape) < elements(n.type.shape)) continue;
        if (through_[at(input)]) {
          sources.insert(sources_[at(input)].begin(), sources_[at(input)].end());
        } else {
          sources.insert(input);
        }
      }
      through_[id] = sources.size() <= (kept_[id] ? 1 : 2);
    }
  }

  bool is_anew(NodeId id, int phase, bool in_a_sweep) const {
    return in_a_sweep && through_[at(id)] && there_[at(id)] < phase;
  }

  /// Asks for the operands of a node that runs in that phase.
  void ask(std::size_t id, int phase, bool in_a_sweep) {
    for (const auto input : node(id).inputs) {
      if (is_anew(input, phase, in_a_sweep)) {
        anew_[at(input)].insert(phase);
      } else {
        needed_[at(input)] = true;
      }
    }
  }

  /// What is cheap and shared by all samples waits for what it is used with, to run in one sweep with it; updates wait
  /// for all that may read the parameter.
  static void let_shared_values_wait(PhasedGraph& p) {
    constexpr int never = std::numeric_limits<int>::max();
    std::vector<int> first_use(p.phase.size(), never);
    for (const auto& [name, id] : p.graph.outputs()) first_use[at(id)] = 0;
    int last = 0;
    for (std::size_t id = 0; id < p.phase.size(); ++id) {
      const bool sums = p.graph.node(static_cast<NodeId>(id)).op == &op_batch_sum && !p.over_batch[id];
      last = std::max(last, p.phase[id] + (sums ? 1 : 0));
    }
    for (const auto& [leaf, id] : p.graph.updates()) first_use[at(id)] = std::min(first_use[at(id)], last);
    for (std::size_t id = p.phase.size(); id-- > 0;) {
      const Node& n = p.graph.node(static_cast<NodeId>(id));
      if (!n.type.batched && n.op->kernels.value.sweep && first_use[id] != never)
        p.phase[id] = std::max(p.phase[id], first_use[id]);
      for (const auto input : n.inputs) first_use[at(input)] = std::min(first_use[at(input)], p.phase[id]);
    }
  }

  PhasedGraph build() {
    Rewriter r(old_);
    PhasedGraph result;
    std::map<std::pair<NodeId, int>, NodeId> made_anew;
    const auto make = [&](std::size_t id, int phase, bool in_a_sweep) {
      Node copy = node(id);
      for (auto& input : copy.inputs)
        input = is_anew(input, phase, in_a_sweep) ? made_anew.at({input, phase}) : r.mapped(input);
      return copy;
    };
    for (std::size_t id = 0; id < size_; ++id) {
      if (needed_[id]) {
        r.map(static_cast<NodeId>(id), r.append(make(id, run_[id], takes_sweeps(node(id)))));
        result.phase.push_back(run_[id]);
        result.over_batch.push_back(over_batch_[id]);
      }
      for (const int phase : anew_[id]) {
        Node copy = make(id, phase, true);
        copy.name.clear();
        made_anew[{static_cast<NodeId>(id), phase}] = r.append(std::move(copy));
        result.phase.push_back(phase);
        result.over_batch.push_back(false);
      }
    }
    result.graph = r.finish();
    let_shared_values_wait(result);
    return result;
  }

  const Graph& old_;
  const std::size_t size_;
  const bool tuned_;
  const std::vector<bool> over_batch_;
  std::vector<int> run_, there_;           // the phase in which it runs, and from which on its value is there
  std::vector<bool> kept_;                 // needed later by something that is no sweep
  std::vector<bool> through_;              // can be computed anew,
  std::vector<std::set<NodeId>> sources_;  // from these
  std::vector<bool> needed_;               // where it stands,
  std::vector<std::set<int>> anew_;        // and in these later phases
};

}  // namespace

PhasedGraph find_phases(const Graph& graph, bool tuned) { return PhaseFinder(graph, tuned).run(); }

}  // namespace chalk
