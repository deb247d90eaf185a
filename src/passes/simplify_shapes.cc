// Rules for constants and for operations that only change shapes or repeat values.
#include <algorithm>
#include <cmath>

#include "src/ir/leaves.h"
#include "src/ops/attributes.h"
#include "src/ops/kernel.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"
#include "src/passes/simplify_rules.h"

namespace chalk::rules {
namespace {

bool is_repeated(Value v) { return made_by(v, op_batch_broadcast); }  // every sample the same

/// The elementwise y of other inputs, if these give it the same shape; otherwise empty.
Value remake_if_same_shape(Value y, std::span<const Value> inputs) {
  Shape shape;
  for (const auto& input : inputs) shape = broadcast_shape(shape, input.shape());
  return shape == y.shape() ? remake(y, inputs) : Value();
}

}  // namespace

// f(k₁, k₂) → k in double. What is not finite stays as it is written, so that it can be seen where it comes from.
Value fold_elementwise(Value y) {
  std::vector<double> values;
  for (const auto& input : args(y)) {
    const auto k = number(input);
    if (!k) return {};
    values.push_back(*k);
  }
  std::vector<const void*> in;
  in.reserve(values.size());
  for (const auto& value : values) in.push_back(&value);
  const std::vector<Type> types(values.size());
  const Type scalar;
  double result = 0;
  const Node& node = y.graph().node(y.id());
  node.op->kernels.value.reference(
      {.attributes = &node.attributes, .types = types, .in = in, .type = &scalar, .out = &result});
  return std::isfinite(result) ? constant_of(y, result, y.type()) : Value();
}

// reshape(k), broadcast(k), transpose(k), reverse(k), slice(k) → k
Value fold_shape(Value y) {
  const Op* const op = y.graph().node(y.id()).op;
  if (op != &op_reshape && op != &op_broadcast && op != &op_transpose && op != &op_reverse && op != &op_slice) {
    return {};
  }
  const auto k = number(arg(y));
  return k ? constant_of(y, *k, y.type()) : Value();
}

// Σ k → n·k, mean k → k, max k → k
Value fold_reduction(Value y) {
  const Op* const op = y.graph().node(y.id()).op;
  if (op != &op_sum && op != &op_mean && op != &op_max) return {};
  const auto k = number(arg(y));
  if (!k) return {};
  const auto n =
      op == &op_sum ? static_cast<double>(elements(arg(y).shape())) / static_cast<double>(elements(y.shape())) : 1.0;
  return constant_of(y, n * *k, y.type());
}

// reshape(x, shape of x) → x
Value reshape_same(Value y) { return arg(y).shape() == y.shape() ? arg(y) : Value(); }

// reshape(reshape(x)) → reshape(x)
Value reshape_reshape(Value y) {
  const Shape& shape = y.shape();
  return made_by(arg(y), op_reshape) ? reshape(arg(arg(y)), shape) : Value();
}

// reshape(a/reshape(b)) → reshape(a)/b for a b of that shape, so that it can cancel
Value reshape_quotient(Value y) {
  const Value x = arg(y);
  if (!made_by(x, op_div) || !made_by(arg(x, 1), op_reshape) || arg(x, 0).shape() != x.shape()) return {};
  const Value b = arg(arg(x, 1));
  const Shape& shape = b.shape();
  return shape == y.shape() ? reshape(arg(x, 0), shape) / b : Value();
}

// reshape(broadcast(x)) → broadcast(x) for one element x
Value reshape_broadcast_scalar(Value y) {
  const Value x = arg(y);
  const Shape& shape = y.shape();
  if (!made_by(x, op_broadcast) || elements(arg(x).shape()) != 1) return {};
  return broadcast(reshape(arg(x), {}), shape);
}

// reshape(−x) → −reshape(x)
Value reshape_neg(Value y) {
  const Shape& shape = y.shape();
  return made_by(arg(y), op_neg) ? neg(reshape(arg(arg(y)), shape)) : Value();
}

// reshape(s·x) → s·reshape(x)
Value reshape_scaled(Value y) {
  const Shape& shape = y.shape();
  const auto product = scaled(arg(y));
  if (!product || !is_scalar(product->factor) || product->rest.shape() != arg(y).shape()) return {};
  return reshape(product->factor, {}) * reshape(product->rest, shape);
}

// broadcast(x) → reshape(x) where nothing is repeated
Value broadcast_same(Value y) {
  const Shape& shape = y.shape();
  return elements(arg(y).shape()) == elements(shape) ? reshape(arg(y), shape) : Value();
}

// broadcast(broadcast(x)) → broadcast(x)
Value broadcast_broadcast(Value y) {
  const Shape& shape = y.shape();
  return made_by(arg(y), op_broadcast) ? broadcast(arg(arg(y)), shape) : Value();
}

// broadcast(reshape(x)) → broadcast(x) where only leading 1s differ
Value broadcast_reshape(Value y) {
  const Value x = arg(y);
  const Shape& shape = y.shape();
  if (!made_by(x, op_reshape) || arg(x).shape().size() > shape.size()) return {};
  return equal_but_leading_ones(arg(x).shape(), x.shape()) ? broadcast(arg(x), shape) : Value();
}

// transpose(x) → x for the identity
Value transpose_same(Value y) {
  const auto& permutation = attributes<TransposeAttributes>(y).permutation;
  return std::is_sorted(permutation.begin(), permutation.end()) ? arg(y) : Value();
}

// transpose(transpose(x)) → transpose(x)
Value transpose_transpose(Value y) {
  const Value x = arg(y);
  if (!made_by(x, op_transpose)) return {};
  const auto& inner = attributes<TransposeAttributes>(x).permutation;
  auto permutation = attributes<TransposeAttributes>(y).permutation;
  for (auto& axis : permutation) axis = inner[static_cast<std::size_t>(axis)];
  return y.graph().apply(op_transpose, TransposeAttributes{std::move(permutation)}, {{arg(x)}});
}

// reverse(reverse(x)) → x over the same axes
Value reverse_reverse(Value y) {
  const Value x = arg(y);
  if (!made_by(x, op_reverse)) return {};
  const auto rank = y.shape().size();
  const auto same =
      reduced_axes(attributes<AxesAttributes>(y).axes, rank) == reduced_axes(attributes<AxesAttributes>(x).axes, rank);
  return same ? arg(x) : Value();
}

// f(every sample the same c) → every sample the same f(c)
Value any_batch_broadcast(Value y) {
  if (!y.batched() || is_repeated(y)) return {};
  auto inputs = args(y);
  for (auto& input : inputs) {
    if (!input.batched()) continue;
    if (!is_repeated(input)) return {};
    input = arg(input);
  }
  return batch_broadcast(remake(y, inputs));
}

// f(x, every sample the same c) → f(x, c)
Value elementwise_batch_broadcast(Value y) {
  auto inputs = args(y);
  if (std::none_of(inputs.begin(), inputs.end(), is_repeated)) return {};
  for (auto& input : inputs) input = is_repeated(input) ? arg(input) : input;
  return remake(y, inputs);
}

// f(broadcast(x), y) → f(x, y), broadcast if need be: each result is computed once
Value elementwise_broadcast(Value y) {
  const Type& type = y.type();
  auto inputs = args(y);
  bool found = false;
  for (auto& input : inputs) {
    const auto k = number(input);
    if (!made_by(input, op_broadcast) && (!k || input.shape().empty())) continue;
    input = k ? y.graph().constant(*k) : arg(input);
    found = true;
  }
  return found ? stretched(remake(y, inputs), type) : Value();
}

// f(reshape(x), y) → f(x, y) where only leading 1s differ
Value elementwise_reshape(Value y) {
  auto inputs = args(y);
  for (auto& input : inputs) {
    if (!made_by(input, op_reshape) || !equal_but_leading_ones(input.shape(), arg(input).shape())) continue;
    const Value reshaped = std::exchange(input, arg(input));
    if (const Value made = remake_if_same_shape(y, inputs)) return made;
    input = reshaped;
  }
  return {};
}

}  // namespace chalk::rules
