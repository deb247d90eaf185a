#include "src/run/reference.h"

#include <bit>
#include <cmath>
#include <stdexcept>

#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk {

void Reference::set(NodeId leaf, std::vector<double> values) {
  const Node& node = graph_.node(leaf);
  const auto count = static_cast<std::size_t>(elements(node.type.shape)) * (node.type.batched ? batch_ : 1);
  if (values.size() != count)
    throw std::logic_error(str("reference: ", node.name, " takes ", count, " values, not ", values.size()));
  if (values_.size() <= static_cast<std::size_t>(leaf)) values_.resize(static_cast<std::size_t>(leaf) + 1);
  values_[static_cast<std::size_t>(leaf)] = std::move(values);
}

void Reference::run(std::span<const NodeId> wanted) {
  const auto count = static_cast<std::size_t>(graph_.size());
  values_.resize(count);
  rounded_leaves_.resize(unit_ > 0 ? count : 0);
  std::vector<bool> needed(count, wanted.empty());
  for (const auto id : wanted) needed[static_cast<std::size_t>(id)] = true;
  for (auto id = count; id-- > begin_;) {
    if (!needed[id]) continue;
    for (const auto input : graph_.node(static_cast<NodeId>(id)).inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  for (std::size_t id = begin_; id < count; ++id) {
    if (needed[id]) evaluate(static_cast<NodeId>(id));
  }
}

void Reference::evaluate(NodeId id) {
  const Node& node = graph_.node(id);
  auto& y = values_[static_cast<std::size_t>(id)];
  const auto size = static_cast<std::size_t>(elements(node.type.shape));
  if (node.op == &op_input || node.op == &op_parameter) {
    if (y.empty()) throw std::logic_error(str("reference: ", node.name, " has not been set"));
    if (unit_ == 0) return;
    auto& leaf = rounded_leaves_[static_cast<std::size_t>(id)] = y;
    for (auto& x : leaf) x = x == std::round(x) ? x : rounded(x);
    return;
  }
  if (node.op == &op_constant) {
    const double x = node.attributes.as<ConstantAttributes>().value;
    y.assign(size, unit_ > 0 && x != std::round(x) ? rounded(x) : x);
    return;
  }
  if (node.op == &op_batch_size) {
    y.assign(1, static_cast<double>(batch_));
    return;
  }
  if (node.op == &op_batch_sum) {
    const auto& x = stored(node.inputs[0]);
    y.assign(size, 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) y[i % size] += x[i];
    if (unit_ > 0) {
      for (auto& v : y) v = rounded(v);
    }
    return;
  }
  y.resize(size * (node.type.batched ? batch_ : 1));
  std::vector<Type> types;
  for (const auto input : node.inputs) types.push_back(graph_.node(input).type);
  std::vector<const void*> in(node.inputs.size());
  for (std::size_t n = 0; n < (node.type.batched ? batch_ : 1); ++n) {
    for (std::size_t k = 0; k < in.size(); ++k) {
      const auto& x = stored(node.inputs[k]);
      in[k] = x.data() + (types[k].batched ? n * static_cast<std::size_t>(elements(types[k].shape)) : 0);
    }
    node.op->kernels.value.reference({&node.attributes, types, in, &node.type, y.data() + n * size});
  }
  if (unit_ == 0 || !node.op->derivative.value) return;
  for (auto& x : y) x = rounded(x);
}

const std::vector<double>& Reference::stored(NodeId id) const {
  const auto at = static_cast<std::size_t>(id);
  return unit_ > 0 && !rounded_leaves_[at].empty() ? rounded_leaves_[at] : values_[at];
}

double Reference::rounded(double x) const {
  auto bits = std::bit_cast<std::uint64_t>(x) + seed_ * 0x9e3779b97f4a7c15U;  // SplitMix64, of the number itself
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
  return x * (1 + unit_ * (static_cast<double>(static_cast<std::int64_t>(bits ^ bits >> 31)) * 0x1p-63));
}

}  // namespace chalk
