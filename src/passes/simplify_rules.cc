#include "src/passes/simplify_rules.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "src/ir/leaves.h"
#include "src/ops/registry.h"

namespace chalk {

std::span<const Rule> simplify_rules() {
  static constexpr Rule kRules[] = {
#define CHALK_RULE(root, name, formula) {#name, #root, formula, rules::name},
#include "src/passes/simplify_rules.inc"
#undef CHALK_RULE
  };
  return kRules;
}

namespace rules {

bool made_by(Value v, const Op& op) { return v.graph().node(v.id()).op == &op; }

bool elementwise(const Op& op) { return op.kernels.value.sweep != nullptr; }

Value arg(Value v, std::size_t k) { return v.graph().value(v.graph().node(v.id()).inputs[k]); }

std::vector<Value> args(Value v) {
  std::vector<Value> inputs;
  for (const auto id : v.graph().node(v.id()).inputs) inputs.push_back(v.graph().value(id));
  return inputs;
}

std::optional<double> number(Value v) {
  if (!made_by(v, op_constant)) return std::nullopt;
  return attributes<ConstantAttributes>(v).value;
}

bool is_number(Value v, double k) { return number(v) == k; }

bool always_finite(Value v) {
  const Node& node = v.graph().node(v.id());
  if (node.op == &op_constant) return std::isfinite(attributes<ConstantAttributes>(v).value);
  if (node.op == &op_input) return attributes<InputAttributes>(v).distribution;
  const auto is_one_of = [&](std::initializer_list<const Op*> ops) { return std::ranges::count(ops, node.op) > 0; };
  if (is_one_of({&op_batch_size, &op_greater, &op_equal, &op_pool_argmax, &op_first_max})) return true;
  if (node.op == &op_select) return always_finite(arg(v, 1)) && always_finite(arg(v, 2));
  const bool only_moves = is_one_of({&op_neg, &op_reshape, &op_broadcast, &op_batch_broadcast, &op_transpose,
                                     &op_reverse, &op_slice, &op_pad, &op_concat});
  return only_moves && std::ranges::all_of(args(v), always_finite);
}

bool is_scalar(Value v) { return !v.batched() && elements(v.shape()) == 1; }

bool is_factor(Value c, Value x) { return !c.batched() && (x.batched() || (is_scalar(c) && !is_scalar(x))); }

std::optional<Scaled> scaled(Value v) {
  if (!made_by(v, op_mul) || !is_factor(arg(v, 0), arg(v, 1))) return std::nullopt;
  return Scaled{arg(v, 0), arg(v, 1)};
}

Value batch_mean_of(Value v) {
  if (made_by(v, op_div) && made_by(arg(v, 1), op_batch_size))
    return made_by(arg(v), op_batch_sum) ? arg(arg(v)) : Value();
  const auto product = scaled(v);
  if (!product || !made_by(product->rest, op_batch_sum) || !made_by(product->factor, op_div)) return {};
  const bool by_samples = is_number(arg(product->factor, 0), 1) && made_by(arg(product->factor, 1), op_batch_size);
  return by_samples ? arg(product->rest) : Value();
}

Value negated_if_negative(Value v) {
  if (const auto k = number(v); k && *k < 0) return constant_of(v, -*k, v.type());
  if (!made_by(v, op_mul)) return {};
  const Value factor = arg(v, 0), rest = arg(v, 1);
  const auto k = number(factor);
  if (!k || *k >= 0) return {};
  return constant_of(v, -*k, factor.type()) * rest;
}

Value remake(Value y, std::span<const Value> inputs) {
  const Op& op = *y.graph().node(y.id()).op;
  const Attributes same = y.graph().node(y.id()).attributes;
  return y.graph().apply(op, same, inputs);
}

Value stretched(Value v, const Type& type) {
  if (v.shape() != type.shape) {
    const auto k = number(v);
    v = k ? v.graph().constant(*k, type.shape) : broadcast(v, type.shape);
  }
  return type.batched && !v.batched() ? batch_broadcast(v) : v;
}

Value constant_of(Value like, double k, const Type& type) {
  return stretched(like.graph().constant(k, type.shape), type);
}

bool equal_but_leading_ones(const Shape& a, const Shape& b) {
  const auto first = [](const Shape& s) { return std::find_if(s.begin(), s.end(), [](auto n) { return n != 1; }); };
  return std::equal(first(a), a.end(), first(b), b.end());
}

Shape padded(const Shape& shape, std::size_t rank) {
  Shape wide(rank > shape.size() ? rank - shape.size() : 0, 1);
  wide.insert(wide.end(), shape.begin(), shape.end());
  return wide;
}

std::vector<bool> reduced_axes(std::span<const std::int64_t> axes, std::size_t rank) {
  std::vector<bool> reduced(rank, axes.empty());
  for (const auto axis : axes) reduced[static_cast<std::size_t>(axis)] = true;
  return reduced;
}

}  // namespace rules
}  // namespace chalk
