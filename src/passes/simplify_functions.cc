// Rules for functions of one value, choices and pooling.
#include "src/ops/attributes.h"
#include "src/ops/pool.h"
#include "src/ops/registry.h"
#include "src/passes/simplify_rules.h"

namespace chalk::rules {
namespace {

/// `index` = pool_argmax(y) of the same windows as the operation that makes `pooled`.
bool is_argmax_of(Value index, Value y, Value pooled) {
  if (!made_by(index, op_pool_argmax) || arg(index) != y) return false;
  return pool_options(attributes<PoolAttributes>(index)) == pool_options(attributes<PoolAttributes>(pooled));
}

}  // namespace

// ln softmax(x) → log_softmax(x), which cannot overflow; ln reshape(softmax(x)) → reshape(log_softmax(x))
Value log_of_softmax(Value y) {
  const Value x = made_by(arg(y), op_reshape) ? arg(arg(y)) : arg(y);
  if (!made_by(x, op_softmax)) return {};
  const Shape& shape = y.shape();
  const Value result = log_softmax(arg(x), attributes<AxisAttributes>(x).axis);
  return x == arg(y) ? result : reshape(result, shape);
}

// ln σ(x) → −softplus(−x), ln(1 − σ(x)) → −softplus(x): finite where σ(x) rounds to 0 or 1
Value log_of_sigmoid(Value y) {
  const Value x = arg(y);
  if (made_by(x, op_sigmoid)) return neg(softplus(neg(arg(x))));
  const bool complement = made_by(x, op_sub) && is_number(arg(x, 0), 1) && made_by(arg(x, 1), op_sigmoid);
  return complement ? neg(softplus(arg(arg(x, 1)))) : Value();
}

// exp log_softmax(x) → softmax(x)
Value exp_of_log_softmax(Value y) {
  const Value x = arg(y);
  return made_by(x, op_log_softmax) ? softmax(arg(x), attributes<AxisAttributes>(x).axis) : Value();
}

// relu(relu(x)) → relu(x)
Value relu_relu(Value y) { return made_by(arg(y), op_relu) ? arg(y) : Value(); }

// select(c, x, x) → x
Value select_same(Value y) { return arg(y, 1) == arg(y, 2) ? stretched(arg(y, 1), y.type()) : Value(); }

// select(k, a, b) → a or b
Value select_constant(Value y) {
  const auto k = number(arg(y, 0));
  return k ? stretched(arg(y, *k != 0 ? 1 : 2), y.type()) : Value();
}

// select(c, select(c, a, b), d) → select(c, a, d), select(c, a, select(c, b, d)) → select(c, a, d)
Value select_select(Value y) {
  const Value c = arg(y, 0), a = arg(y, 1), b = arg(y, 2);
  if (made_by(a, op_select) && arg(a, 0) == c) return select(c, arg(a, 1), b);
  return made_by(b, op_select) && arg(b, 0) == c ? select(c, a, arg(b, 2)) : Value();
}

// y[argmax y] → max_pool(y)
Value gather_argmax(Value y) {
  const Value x = arg(y, 0);
  if (!is_argmax_of(arg(y, 1), x, y)) return {};
  return max_pool(x, pool_options(attributes<PoolAttributes>(y)));
}

// [y > 0]·scatter(g, i) → scatter([y[i] > 0]·g, i), i = argmax y: each g is masked at the one place where it lands
Value relu_mask_of_scatter(Value y) {
  const Value mask = arg(y, 0), scattered = arg(y, 1), zero = arg(y, 2);
  if (!made_by(mask, op_greater) || !made_by(scattered, op_pool_scatter) || !is_number(zero, 0)) return {};
  const Value x = arg(mask, 0), threshold = arg(mask, 1);
  const Value g = arg(scattered, 0), index = arg(scattered, 1);
  if (!is_number(threshold, 0) || !is_argmax_of(index, x, scattered)) return {};
  const PoolAttributes pool = attributes<PoolAttributes>(scattered);
  const PoolOptions options = pool_options(pool);
  const Value pooled = pool_gather(x, index, options);
  return pool_scatter(select(greater(pooled, threshold), g, zero), index, pool.shape, options);
}

}  // namespace chalk::rules
