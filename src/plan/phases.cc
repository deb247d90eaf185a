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
/// for each microbatch: with other values they would not stay in a core's second-level cache (1 to 2 MB).
constexpr std::int64_t kManyWeights = 1 << 17;
constexpr std::int64_t kManyResults = 128;  // enough to share among threads

/// Nodes that run over the whole batch.
PerNode<bool> find_over_batch(const Graph& g) {
  PerNode<bool> over(g, false);
  PerNode<int> uses(g, 0);
  for (NodeId id = 0; id < g.size(); ++id) {
    for (const auto input : g.node(id).inputs) ++uses[input];
  }
  for (const auto& [name, id] : g.outputs()) ++uses[id];
  for (const auto& [leaf, id] : g.updates()) ++uses[id];
  const auto batched = [&](NodeId id) { return g.node(id).type.batched; };
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& n = g.node(id);
    if (n.op == &op_dense && batched(n.inputs[0]) && !batched(n.inputs[1])) {
      over[id] = elements(g.node(n.inputs[1]).type.shape) > kManyWeights && n.type.shape[0] >= kManyResults;
    } else if (n.op == &op_batch_sum && g.node(n.inputs[0]).op == &op_outer) {
      const NodeId outer = n.inputs[0];
      const auto& factors = g.node(outer).inputs;
      if (uses[outer] != 1 || !batched(factors[0]) || !batched(factors[1])) continue;
      over[outer] = over[id] = true;
    }
  }
  return over;
}

class PhaseFinder {
 public:
  PhaseFinder(const Graph& old, bool tuned)
      : old_(old),
        tuned_(tuned),
        over_batch_(tuned ? find_over_batch(old) : PerNode<bool>(old, false)),
        run_(old, 0),
        there_(old, 0),
        kept_(old, false),
        through_(old, false),
        sources_(old),
        needed_(old, false),
        anew_(old) {
    for (NodeId id = 0; id < old_.size(); ++id) {
      for (const auto input : node(id).inputs) run_[id] = std::max(run_[id], there_[input] + waits(id, input));
      there_[id] = run_[id] + (node(id).op == &op_batch_sum && !over_batch_[id] ? 1 : 0);
    }
  }

  PhasedGraph run() {
    if (tuned_) find_cheap_values();
    for (const auto& [name, id] : old_.outputs()) needed_[id] = true;
    for (const auto& [leaf, id] : old_.updates()) needed_[id] = true;
    for (NodeId id = old_.size(); id-- > 0;) {
      needed_[id] = needed_[id] || node(id).inputs.empty();
      if (needed_[id]) ask(id, run_[id], takes_sweeps(node(id)));
      for (const int phase : anew_[id]) ask(id, phase, true);
    }
    return build();
  }

 private:
  static std::size_t at(NodeId id) { return id; }
  const Node& node(NodeId id) const { return old_.node(id); }
  /// 1 if all microbatches must have made this operand before.
  int waits(NodeId id, NodeId input) const {
    return over_batch_[id] && node(id).op != &op_batch_sum && old_.node(input).type.batched ? 1 : 0;
  }

  /// What the value is made from by cheap operations, where those are at most two of its size.
  void find_cheap_values() {
    for (NodeId id = 0; id < old_.size(); ++id) {
      for (const auto input : node(id).inputs) {
        if (there_[input] < run_[id] && !takes_sweeps(node(id))) kept_[input] = true;
      }
    }
    for (NodeId id = 0; id < old_.size(); ++id) {
      const Node& n = node(id);
      if (!n.type.batched || !n.op->cheap) continue;
      auto& sources = sources_[id];
      for (const auto input : n.inputs) {
        const Type& type = old_.node(input).type;
        if (!type.batched || elements(type.shape) < elements(n.type.shape)) continue;
        if (through_[input]) {
          sources.insert(sources_[input].begin(), sources_[input].end());
        } else {
          sources.insert(input);
        }
      }
      through_[id] = sources.size() <= (kept_[id] ? 1 : 2);
    }
  }

  bool is_anew(NodeId id, int phase, bool in_a_sweep) const { return in_a_sweep && through_[id] && there_[id] < phase; }

  /// Asks for the operands of a node that runs in that phase.
  void ask(NodeId id, int phase, bool in_a_sweep) {
    for (const auto input : node(id).inputs) {
      if (is_anew(input, phase, in_a_sweep)) {
        anew_[input].insert(phase);
      } else {
        needed_[input] = true;
      }
    }
  }

  /// What is cheap and shared by all samples waits for what it is used with, to run in one sweep with it; updates wait
  /// for all that may read the parameter.
  static void let_shared_values_wait(PhasedGraph& p) {
    constexpr int never = std::numeric_limits<int>::max();
    PerNode<int> first_use(p.graph, never);
    for (const auto& [name, id] : p.graph.outputs()) first_use[id] = 0;
    int last = 0;
    for (NodeId id = 0; id < p.phase.size(); ++id) {
      const bool sums = p.graph.node(id).op == &op_batch_sum && !p.over_batch[id];
      last = std::max(last, p.phase[id] + (sums ? 1 : 0));
    }
    for (const auto& [leaf, id] : p.graph.updates()) first_use[id] = std::min(first_use[id], last);
    for (NodeId id = p.phase.size(); id-- > 0;) {
      const Node& n = p.graph.node(id);
      if (!n.type.batched && n.op->kernels.value.sweep && first_use[id] != never)
        p.phase[id] = std::max(p.phase[id], first_use[id]);
      for (const auto input : n.inputs) first_use[input] = std::min(first_use[input], p.phase[id]);
    }
  }

  PhasedGraph build() {
    Rewriter r(old_);
    PhasedGraph result;
    std::map<std::pair<NodeId, int>, NodeId> made_anew;
    const auto make = [&](NodeId id, int phase, bool in_a_sweep) {
      Node copy = node(id);
      for (auto& input : copy.inputs)
        input = is_anew(input, phase, in_a_sweep) ? made_anew.at({input, phase}) : r.mapped(input);
      return copy;
    };
    for (NodeId id = 0; id < old_.size(); ++id) {
      if (needed_[id]) {
        r.map(id, r.append(make(id, run_[id], takes_sweeps(node(id)))));
        result.phase.push_back(run_[id]);
        result.over_batch.push_back(over_batch_[id]);
      }
      for (const int phase : anew_[id]) {
        Node copy = make(id, phase, true);
        copy.name.clear();
        made_anew[{id, phase}] = r.append(std::move(copy));
        result.phase.push_back(phase);
        result.over_batch.push_back(false);
      }
    }
    result.graph = r.finish();
    let_shared_values_wait(result);
    return result;
  }

  const Graph& old_;
  const bool tuned_;
  const PerNode<bool> over_batch_;
  PerNode<int> run_, there_;           // the phase in which it runs, and from which on its value is there
  PerNode<bool> kept_;                 // needed later by something that is no sweep
  PerNode<bool> through_;              // can be recomputed,
  PerNode<std::set<NodeId>> sources_;  // from these
  PerNode<bool> needed_;               // where it is,
  PerNode<std::set<int>> anew_;        // and in these later phases
};

}  // namespace

PhasedGraph find_phases(const Graph& graph, bool tuned) { return PhaseFinder(graph, tuned).run(); }

}  // namespace chalk
