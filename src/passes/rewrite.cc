#include "src/passes/rewrite.h"

#include <iterator>
#include <stdexcept>

#include "src/base/text.h"
#include "src/ir/leaves.h"

namespace chalk {

Rewriter::Rewriter(const Graph& old) : old_(old), new_of_(static_cast<std::size_t>(old.size()), -1) {}

NodeId Rewriter::mapped(NodeId old_id) const {
  const NodeId id = new_of_[static_cast<std::size_t>(old_id)];
  if (id < 0) throw std::logic_error(str("rewrite: %", old_id, " is needed but was left out"));
  return id;
}

Node Rewriter::translated(NodeId old_id) const {
  Node node = old_.node(old_id);
  for (auto& input : node.inputs) input = mapped(input);
  return node;
}

NodeId Rewriter::append(Node node) { return graph_.append(std::move(node)).id(); }

std::vector<Node> Rewriter::take_back(NodeId size) {
  const auto first = graph_.nodes_.begin() + size;
  std::vector<Node> taken(std::make_move_iterator(first), std::make_move_iterator(graph_.nodes_.end()));
  graph_.nodes_.erase(first, graph_.nodes_.end());
  return taken;
}

Graph Rewriter::finish() {
  for (const auto& [name, id] : old_.outputs()) graph_.outputs_.emplace_back(name, mapped(id));
  for (const auto& [leaf, next] : old_.updates()) graph_.updates_.emplace_back(mapped(leaf), mapped(next));
  graph_.remarks_ = old_.remarks();
  graph_.layer(old_.layer());
  return std::move(graph_);
}

std::vector<bool> needed_by_outputs(const Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.size()), false);
  for (const auto& [name, id] : graph.outputs()) needed[static_cast<std::size_t>(id)] = true;
  for (auto id = needed.size(); id-- > 0;) {
    if (!needed[id]) continue;
    for (const auto input : graph.node(static_cast<NodeId>(id)).inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

Graph without_dead_nodes(const Graph& graph) {
  std::vector<bool> live(static_cast<std::size_t>(graph.size()), false);
  for (const auto& [name, id] : graph.outputs()) live[static_cast<std::size_t>(id)] = true;
  for (const auto& [leaf, next] : graph.updates()) live[static_cast<std::size_t>(next)] = true;
  for (auto id = live.size(); id-- > 0;) {
    const Node& node = graph.node(static_cast<NodeId>(id));
    if ((node.op == &op_input && !is_noise(node)) || node.op == &op_parameter) live[id] = true;
    if (!live[id]) continue;
    for (const auto input : node.inputs) live[static_cast<std::size_t>(input)] = true;
  }
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[static_cast<std::size_t>(id)]) r.map(id, r.append(r.translated(id)));
  }
  return r.finish();
}

}  // namespace chalk
