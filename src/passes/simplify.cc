// Simplification: one walk from operands to results rebuilds the graph, equal expressions once, each value rewritten
// by the rules of simplify_rules.inc until none applies; what nothing needs is dropped at the end.
#include <map>
#include <stdexcept>
#include <utility>

#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"
#include "src/passes/simplify_rules.h"

namespace chalk {
namespace {

using Applied = std::map<std::string_view, int>;

bool is_fed(const Node& node) { return node.op == &op_input || node.op == &op_parameter; }

/// Expressions by what they compute.
class Expressions {
 public:
  void add(const Node& node, NodeId id) { known_[key(node)].emplace_back(node.attributes, id); }

  NodeId find(const Node& node) const {
    const auto found = known_.find(key(node));
    if (found == known_.end()) return -1;
    for (const auto& [attributes, id] : found->second) {
      if (attributes == node.attributes) return id;
    }
    return -1;
  }

 private:
  using Key = std::pair<const Op*, std::vector<NodeId>>;

  static Key key(const Node& node) {
    Key key{node.op, node.inputs};
    const bool commutes = node.op == &op_add || node.op == &op_mul || node.op == &op_equal;
    if (commutes && key.second[0] > key.second[1]) std::swap(key.second[0], key.second[1]);
    return key;
  }

  std::map<Key, std::vector<std::pair<Attributes, NodeId>>> known_;
};

class Simplifier {
 public:
  Simplifier(const Graph& old, std::span<const Rule> rules, Applied* applied)
      : r_(old), rules_(rules), applied_(applied), steps_left_(1000 + 100 * static_cast<std::int64_t>(old.size())) {}

  Graph run() {
    for (NodeId id = 0; id < r_.old().size(); ++id) {
      Node node = r_.translated(id);
      if (is_fed(node)) {
        r_.map(id, r_.append(std::move(node)));
        continue;
      }
      const std::string name = std::exchange(node.name, {});
      const NodeId made = make(node);
      r_.map(id, name.empty() ? made : named(made, name, std::move(node)));
    }
    return without_dead_nodes(r_.finish());
  }

 private:
  /// The simplest form of a node whose inputs have theirs.
  NodeId make(const Node& node) {
    if (const NodeId known = expressions_.find(node); known >= 0) return known;
    r_.graph().layer(node.layer);
    const NodeId root = r_.append(node);
    for (const Rule* rule : rules_of(*node.op)) {
      const Value result = rule->apply(r_.graph().value(root));
      if (!result || result.type() != node.type) {
        r_.take_back(root + 1);
        continue;
      }
      count(*rule);
      const NodeId id = rebuild(root, result.id());
      expressions_.add(node, id);
      return id;
    }
    expressions_.add(node, root);
    return root;
  }

  /// A rule has rewritten the node `root` as `result`, in new nodes after it: makes those properly, and without root.
  NodeId rebuild(NodeId root, NodeId result) {
    std::vector<Node> written = r_.take_back(root);
    if (result < root) return result;
    std::vector<NodeId> made{-1};  // root itself: must not be used
    for (std::size_t i = 1; i <= static_cast<std::size_t>(result - root); ++i) {
      for (auto& input : written[i].inputs) {
        if (input >= root) input = made[static_cast<std::size_t>(input - root)];
      }
      made.push_back(make(written[i]));
    }
    return made.back();
  }

  /// A value keeps its name. Two names are two values, even of the same expression.
  NodeId named(NodeId made, const std::string& name, Node node) {
    const Node& now = r_.graph().node(made);
    if (now.name.empty()) {
      r_.graph().name(r_.graph().value(made), name);
      return made;
    }
    const bool same = now.op == node.op && now.inputs == node.inputs && now.attributes == node.attributes;
    if (!same) return made;  // it has become another value, which has a name of its own
    node.name = name;
    return r_.append(std::move(node));
  }

  const std::vector<const Rule*>& rules_of(const Op& op) {
    const auto [place, fresh] = rules_of_.try_emplace(&op);
    if (fresh && !is_leaf(op)) {
      for (const auto& rule : rules_) {
        if (rule.root == op.name.value || rule.root == "any" ||
            (rule.root == "elementwise" && rules::elementwise(op))) {
          place->second.push_back(&rule);
        }
      }
    }
    return place->second;
  }

  void count(const Rule& rule) {
    if (applied_) ++(*applied_)[rule.name];
    if (--steps_left_ < 0) throw std::logic_error(str("simplify: the rules do not come to an end, last ", rule.name));
  }

  Rewriter r_;
  Expressions expressions_;
  std::span<const Rule> rules_;
  std::map<const Op*, std::vector<const Rule*>> rules_of_;
  Applied* applied_;
  std::int64_t steps_left_;
};

}  // namespace

Graph simplify_by(const Graph& graph, std::span<const Rule> rules, Applied* applied) {
  // One walk reaches the end, since a value is made after its inputs. The next one confirms it.
  constexpr int kMostWalks = 10;
  Graph now = Simplifier(graph, rules, applied).run();
  for (int walk = 1; walk < kMostWalks; ++walk) {
    Graph next = Simplifier(now, rules, applied).run();
    const bool done = next.print() == now.print();
    now = std::move(next);
    if (done) return now;
  }
  throw std::logic_error("simplify: the graph still changes after ten walks");
}

Graph simplify(const Graph& graph) { return simplify_by(graph, simplify_rules()); }

}  // namespace chalk
