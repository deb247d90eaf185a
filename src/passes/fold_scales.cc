// Scales and shifts of a linear map's channels become part of it: s·(w ⋆ x + b) + t = (s·w) ⋆ x + (s·b + t). So batch
// normalisation by running statistics costs nothing when predicting.
#include <map>
#include <optional>

#include "chalkgrad/ops.h"
#include "src/ops/attributes.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"

namespace chalk {
namespace {

/// One of the operations on a linear map's result, and the shared value that it takes.
struct Step {
  const Op* op;
  NodeId by;
};

/// A linear map and what follows it, each step the only use of the value before.
struct Chain {
  std::vector<NodeId> values;  // the map's result, and that of each step
  std::vector<Step> steps;
};

class ScaleFolder {
 public:
  explicit ScaleFolder(const Graph& old) : old_(old), r_(old), uses_(static_cast<std::size_t>(old.size()), 0) {
    for (NodeId id = 0; id < old.size(); ++id) {
      for (const auto input : old.node(id).inputs) ++uses_[static_cast<std::size_t>(input)];
    }
    for (const auto& [name, id] : old.outputs()) ++uses_[static_cast<std::size_t>(id)];
    for (const auto& [leaf, next] : old.updates()) ++uses_[static_cast<std::size_t>(next)];
    find_chains();
  }

  Graph run() {
    for (NodeId id = 0; id < old_.size(); ++id) {
      const auto found = folded_.find(id);
      if (found == folded_.end()) {
        r_.map(id, r_.append(r_.translated(id)));
      } else if (found->second.values.back() == id) {
        r_.map(id, fold(found->second));
      }
    }
    return r_.finish();
  }

 private:
  const Node& node(NodeId id) const { return old_.node(id); }

  bool is_linear(NodeId id) const {
    const Node& n = node(id);
    if (n.op == &op_dense && n.attributes.as<DenseAttributes>().transposed) return false;
    return (n.op == &op_conv2d || n.op == &op_dense) && node(n.inputs[0]).type.batched &&
           !node(n.inputs[1]).type.batched;
  }

  /// The step that this node is for the value `from`, if it is one.
  std::optional<Step> step(NodeId id, NodeId from) const {
    const Node& n = node(id);
    if (n.op != &op_add && n.op != &op_sub && n.op != &op_mul) return std::nullopt;
    const NodeId by = n.inputs[0] == from ? n.inputs[1] : n.inputs[0];
    if (by == from || node(by).type.batched || n.type.shape != node(from).type.shape) return std::nullopt;
    if (n.op == &op_sub && n.inputs[0] != from) return std::nullopt;
    Shape channels(n.type.shape.size(), 1);
    channels[0] = n.type.shape[0];
    return node(by).type.shape == channels ? std::optional(Step{n.op, by}) : std::nullopt;
  }

  void find_chains() {
    std::map<NodeId, Chain> open;  // by the last value so far
    for (NodeId id = 0; id < old_.size(); ++id) {
      if (is_linear(id)) open[id] = {{id}, {}};
      for (const auto input : node(id).inputs) {
        const auto found = open.find(input);
        if (found == open.end() || uses_[static_cast<std::size_t>(input)] != 1) continue;
        const auto next = step(id, input);
        if (!next) continue;
        Chain chain = std::move(found->second);
        open.erase(found);
        chain.steps.push_back(*next);
        chain.values.push_back(id);
        open[id] = std::move(chain);
        break;
      }
    }
    for (const auto& [last, chain] : open) {
      bool scaled = false;
      for (const auto& s : chain.steps) scaled = scaled || s.op == &op_mul;
      for (const auto id : chain.values) {
        if (scaled) folded_[id] = chain;
      }
    }
  }

  NodeId fold(const Chain& chain) {
    Graph& g = r_.graph();
    const Node& linear = node(chain.values.front());
    const Node& last = node(chain.values.back());
    g.layer(last.layer);
    Value scale, shift;
    for (const auto& s : chain.steps) {
      const Value by = g.value(r_.mapped(s.by));
      if (s.op == &op_mul) {
        scale = scale ? scale * by : by;
        if (shift) shift = shift * by;
      } else if (s.op == &op_add) {
        shift = shift ? shift + by : by;
      } else {
        shift = shift ? shift - by : neg(by);
      }
    }
    const Value x = g.value(r_.mapped(linear.inputs[0])), w = g.value(r_.mapped(linear.inputs[1]));
    Shape rows(w.shape().size(), 1);
    rows[0] = w.shape()[0];
    const Value scaled_w = reshape(scale, rows) * w;
    Value y = g.apply(*linear.op, linear.attributes, {{x, scaled_w}});
    if (shift) y = y + shift;
    if (!last.name.empty()) g.name(y, last.name);
    return y.id();
  }

  const Graph& old_;
  Rewriter r_;
  std::vector<int> uses_;
  std::map<NodeId, Chain> folded_;  // of each of its values
};

}  // namespace

Graph fold_scales(const Graph& graph) { return ScaleFolder(graph).run(); }

}  // namespace chalk
