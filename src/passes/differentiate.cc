#include "chalkgrad/differentiate.h"

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ir/op.h"

namespace chalk {
namespace {

/// A node's cotangent is the sum over its uses; a shared node used in batched values gathers over the samples too.
Value as_cotangent_of(Value y, Value d) {
  if (d.batched() && !y.batched()) d = batch_sum(d);
  if (!d.batched() && y.batched()) d = batch_broadcast(d);
  if (d.type() != y.type()) {
    throw std::logic_error(str("differentiate: the cotangent of ", y.graph().node(y.id()).op->name.value, " : ",
                               to_string(y.type()), " is ", to_string(d.type())));
  }
  return d;
}

}  // namespace

std::vector<Value> differentiate(Value y, Value dy, std::span<const Value> wrt, const DerivativeRules& rules) {
  Graph& g = y.graph();
  const auto last = static_cast<std::size_t>(y.id()) + 1;

  std::vector<bool> depends(last, false);  // on one of wrt
  for (const auto& v : wrt) {
    if (static_cast<std::size_t>(v.id()) < last) depends[static_cast<std::size_t>(v.id())] = true;
  }
  for (std::size_t id = 0; id < last; ++id) {
    for (const auto input : g.node(static_cast<NodeId>(id)).inputs)
      depends[id] = depends[id] || depends[static_cast<std::size_t>(input)];
  }

  const std::string layer_before = g.layer();
  std::vector<Value> cotangent(last);
  cotangent[last - 1] = as_cotangent_of(y, dy);
  for (NodeId id = y.id(); id >= 0; --id) {
    const auto at = static_cast<std::size_t>(id);
    if (!cotangent[at] || !depends[at]) continue;
    const Node node = g.node(id);  // a copy: the rules append to the graph
    if (node.inputs.empty()) continue;
    const auto replaced = rules.find(node.op->name.value);
    if (replaced == rules.end() && !node.op->derivative.value) continue;
    std::vector<Value> inputs;
    for (const auto input : node.inputs) inputs.push_back(g.value(input));
    g.layer(node.layer);
    const auto d = replaced != rules.end() ? replaced->second(node, inputs, g.value(id), cotangent[at])
                                           : node.op->derivative.value(node, inputs, g.value(id), cotangent[at]);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const auto from = static_cast<std::size_t>(node.inputs[k]);
      if (!d[k] || !depends[from]) continue;
      const Value part = as_cotangent_of(inputs[k], d[k]);
      cotangent[from] = cotangent[from] ? add(cotangent[from], part) : part;
    }
  }
  g.layer(layer_before);

  std::vector<Value> found;
  for (const auto& v : wrt)
    found.push_back(static_cast<std::size_t>(v.id()) < last ? cotangent[static_cast<std::size_t>(v.id())] : Value());
  return found;
}

std::vector<Value> gradients(Value loss, std::span<const Value> wrt, const DerivativeRules& rules) {
  if (loss.type() != Type{{}, false}) {
    throw ShapeError(str("a loss must be one number for the whole batch, not ", to_string(loss.type()),
                         "; sum over its elements and its samples (batch_sum)"));
  }
  Graph& g = loss.graph();
  auto found = differentiate(loss, g.constant(1), wrt, rules);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) continue;
    const Value zeros = g.constant(0, wrt[i].shape());
    found[i] = wrt[i].batched() ? batch_broadcast(zeros) : zeros;
  }
  return found;
}

}  // namespace chalk
