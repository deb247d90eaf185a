#include "src/derive/elements.h"

#include <cmath>

#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk::calculus {

At Elements::fresh(NodeId id, std::string_view letters) const {
  const auto& type = node(id).type;
  At at;
  if (type.batched && samples_ > 1) at.sample = space_.fresh('n', samples_);
  for (std::size_t k = 0; k < type.shape.size(); ++k) {
    const char letter = k < letters.size() ? letters[k] : 'i';
    at.place.push_back(type.shape[k] == 1 ? math::number(0) : space_.fresh(letter, type.shape[k]));
  }
  return at;
}

std::vector<ExprPtr> Elements::indices(NodeId id, const At& at) const {
  const auto& type = node(id).type;
  std::vector<ExprPtr> found;
  if (type.batched && samples_ > 1) found.push_back(at.sample);
  for (std::size_t k = 0; k < type.shape.size(); ++k) {
    if (type.shape[k] > 1) found.push_back(at.place[k]);
  }
  return found;
}

Shape Elements::axes(NodeId id) const {
  const auto& type = node(id).type;
  Shape found;
  if (type.batched && samples_ > 1) found.push_back(samples_);
  for (const auto extent : type.shape) {
    if (extent > 1) found.push_back(extent);
  }
  return found;
}

ExprPtr Elements::named(NodeId id, const At& at) const {
  Expr e;
  e.kind = Kind::name;
  e.name = names_.at(id);
  e.args = indices(id, at);
  e.indexed = !e.args.empty();
  return math::node(std::move(e));
}

ExprPtr Elements::element(NodeId id, const At& at) const {
  return names_.contains(id) ? named(id, at) : formula(id, at);
}

ExprPtr Elements::formula(NodeId id, const At& at) const {
  const auto& n = node(id);
  if (n.op == &op_constant) {  // 1/2 rather than 0.5
    constexpr int kMost = 64;
    const double value = n.attributes.as<ConstantAttributes>().value;
    for (int below = 2; below <= kMost && value != std::floor(value); ++below) {
      if (value * below == std::floor(value * below))
        return math::make(Kind::divide, {}, {math::number(value * below), math::number(below)});
    }
    return math::number(value);
  }
  if (n.op == &op_batch_size) return math::number(static_cast<double>(samples_));
  if (n.op == &op_input || n.op == &op_parameter) return named(id, at);
  return element_formula(*n.op)(n, at, *this);
}

}  // namespace chalk::calculus
