// Rules for sums, differences, products and quotients of two values.
#include <cmath>

#include "src/ir/leaves.h"
#include "src/ops/registry.h"
#include "src/passes/simplify_rules.h"

namespace chalk::rules {
namespace {

bool is_neg(Value v) { return made_by(v, op_neg); }

/// v = x/b: x; v = c·(x/b): c·x; otherwise empty.
Value numerator_over(Value v, Value b) {
  if (made_by(v, op_div) && arg(v, 1) == b) return arg(v, 0);
  const auto product = scaled(v);
  if (!product || !made_by(product->rest, op_div) || arg(product->rest, 1) != b) return {};
  return product->factor * arg(product->rest, 0);
}

/// v = 1 − x
bool is_complement(Value v, Value x) { return made_by(v, op_sub) && is_number(arg(v, 0), 1) && arg(v, 1) == x; }

/// What is left of v = c·x when c is taken out: x, or 1 of v = c.
Value without_factor(Value v, Value c) {
  if (v == c) return c.graph().constant(1);
  const auto product = scaled(v);
  return product && product->factor == c ? product->rest : Value();
}

/// c·a ± c·b → c·(a ± b), where one of them may be c alone
Value take_out_factor(Value y, Value (*combine)(Value, Value)) {
  const Value a = arg(y, 0), b = arg(y, 1);
  const auto product = scaled(a) ? scaled(a) : scaled(b);
  if (!product) return {};
  const Value c = product->factor, rest_a = without_factor(a, c), rest_b = without_factor(b, c);
  return rest_a && rest_b ? c * combine(rest_a, rest_b) : Value();
}

/// v = c·x, where the factor may be moved out of a product or quotient y: a factor of many elements only if that does
/// not leave it more of them to be multiplied with.
std::optional<Scaled> movable(Value v, Value y) {
  const auto product = scaled(v);
  if (!product || (!is_scalar(product->factor) && v.shape() != y.shape())) return std::nullopt;
  return product;
}

}  // namespace

// −(−x) → x
Value neg_neg(Value y) { return is_neg(arg(y)) ? arg(arg(y)) : Value(); }

// −(a − b) → b − a
Value neg_sub(Value y) {
  const Value x = arg(y);
  return made_by(x, op_sub) ? arg(x, 1) - arg(x, 0) : Value();
}

// −(k·x) → (−k)·x
Value neg_scaled(Value y) {
  const Value x = arg(y);
  if (!made_by(x, op_mul) || !number(arg(x, 0))) return {};
  return neg(arg(x, 0)) * arg(x, 1);
}

// (−a)·b → −(a·b)
Value mul_neg(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_neg(a)) return neg(arg(a) * b);
  return is_neg(b) ? neg(a * arg(b)) : Value();
}

// (−a)/b, a/(−b) → −(a/b)
Value div_neg(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_neg(a)) return neg(arg(a) / b);
  return is_neg(b) ? neg(a / arg(b)) : Value();
}

// a + (−b) → a − b, (−a) + b → b − a
Value add_neg(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_neg(b)) return a - arg(b);
  return is_neg(a) ? b - arg(a) : Value();
}

// a + (−k)·b → a − k·b
Value add_negative(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (const Value positive = negated_if_negative(b)) return a - positive;
  const Value positive = negated_if_negative(a);
  return positive ? b - positive : Value();
}

// a − (−b) → a + b, (−a) − b → −(a + b)
Value sub_neg(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_neg(b)) return a + arg(b);
  return is_neg(a) ? neg(arg(a) + b) : Value();
}

// a − (−k)·b → a + k·b
Value sub_negative(Value y) {
  const Value positive = negated_if_negative(arg(y, 1));
  return positive ? arg(y, 0) + positive : Value();
}

// x + 0 → x
Value add_zero(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_number(b, 0)) return stretched(a, y.type());
  return is_number(a, 0) ? stretched(b, y.type()) : Value();
}

// x + x → 2·x
Value add_same(Value y) {
  const Value a = arg(y, 0);
  return a == arg(y, 1) ? y.graph().constant(2) * a : Value();
}

// (a + b) + b → a + 2·b: what two equal uses of a value add to its gradient
Value add_repeated(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  return made_by(a, op_add) && arg(a, 1) == b ? arg(a, 0) + y.graph().constant(2) * b : Value();
}

// (a − b) − b → a − 2·b
Value sub_repeated(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  return made_by(a, op_sub) && arg(a, 1) == b ? arg(a, 0) - y.graph().constant(2) * b : Value();
}

// x − 0 → x, 0 − x → −x
Value sub_zero(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_number(b, 0)) return stretched(a, y.type());
  return is_number(a, 0) ? stretched(neg(b), y.type()) : Value();
}

// 1·x → x
Value mul_one(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_number(a, 1)) return stretched(b, y.type());
  return is_number(b, 1) ? stretched(a, y.type()) : Value();
}

// (−1)·x → −x
Value mul_minus_one(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_number(a, -1)) return stretched(neg(b), y.type());
  return is_number(b, -1) ? stretched(neg(a), y.type()) : Value();
}

// 0·x → 0 for x that is always finite: a NaN or an infinity must not be lost
Value mul_zero(Value y) {
  for (const std::size_t k : {0, 1}) {
    if (is_number(arg(y, k), 0) && always_finite(arg(y, 1 - k))) return constant_of(y, 0, y.type());
  }
  return {};
}

// 0/x → 0 for x that is never 0 nor NaN: a number, or how many samples there are
Value div_zero(Value y) {
  const Value x = arg(y, 1);
  const bool never_zero = number(x) ? *number(x) != 0 && !std::isnan(*number(x)) : made_by(x, op_batch_size);
  return is_number(arg(y, 0), 0) && never_zero ? constant_of(y, 0, y.type()) : Value();
}

// (a/b)·b → a
Value mul_quotient(Value y) {
  for (const std::size_t k : {0, 1}) {
    const Value quotient = arg(y, k), b = arg(y, 1 - k);
    if (made_by(quotient, op_div) && arg(quotient, 1) == b) return stretched(arg(quotient, 0), y.type());
  }
  return {};
}

// b·(a ± x/b) → a·b ± x, b·(x/b − a) → x − a·b
Value mul_distribute(Value y) {
  for (const std::size_t k : {0, 1}) {
    const Value b = arg(y, k), sum = arg(y, 1 - k);
    const bool plus = made_by(sum, op_add);
    if (!plus && !made_by(sum, op_sub)) continue;
    const Value first = arg(sum, 0), second = arg(sum, 1);
    if (const Value x = numerator_over(second, b)) return plus ? first * b + x : first * b - x;
    if (const Value x = numerator_over(first, b)) return plus ? x + second * b : x - second * b;
  }
  return {};
}

// (a·b)·(x/a) → x·b, (a·b)·(x/a ± y/b) → x·b ± y·a
Value mul_quotients(Value y) {
  for (const std::size_t k : {0, 1}) {
    const Value product = arg(y, k), sum = arg(y, 1 - k);
    if (!made_by(product, op_mul)) continue;
    const bool plus = made_by(sum, op_add), two = plus || made_by(sum, op_sub);
    for (const std::size_t j : {0, 1}) {
      const Value a = arg(product, j), b = arg(product, 1 - j);
      const Value over_a = numerator_over(two ? arg(sum, 0) : sum, a);
      const Value over_b = two && over_a ? numerator_over(arg(sum, 1), b) : Value();
      if (over_b) return plus ? over_a * b + over_b * a : over_a * b - over_b * a;
      if (over_a && !two) return over_a * b;
    }
  }
  return {};
}

// (1 − b)·a − (1 − a)·b → a − b
Value sub_complements(Value y) {
  const Value left = arg(y, 0), right = arg(y, 1);
  if (!made_by(left, op_mul) || !made_by(right, op_mul)) return {};
  for (const std::size_t j : {0, 1}) {
    for (const std::size_t k : {0, 1}) {
      const Value a = arg(left, j), b = arg(right, k);
      if (is_complement(arg(left, 1 - j), b) && is_complement(arg(right, 1 - k), a)) return a - b;
    }
  }
  return {};
}

// (a·b)/b → a
Value div_product(Value y) {
  const Value product = arg(y, 0), b = arg(y, 1);
  if (!made_by(product, op_mul)) return {};
  if (arg(product, 1) == b) return stretched(arg(product, 0), y.type());
  return arg(product, 0) == b ? stretched(arg(product, 1), y.type()) : Value();
}

// x·c → c·x, s·k → k·s
Value mul_factor_first(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  const bool constant_last = is_scalar(a) && is_scalar(b) && number(b) && !number(a);
  return is_factor(b, a) || constant_last ? b * a : Value();
}

// c·(d·x) → (c·d)·x; among scalars k₁·(k₂·s) → (k₁·k₂)·s, s₁·(k·s₂) → k·(s₁·s₂)
Value mul_factors(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_factor(a, b)) {
    const auto product = scaled(b);
    return product ? a * product->factor * product->rest : Value();
  }
  if (!is_scalar(a) || !is_scalar(b)) return {};
  if (made_by(b, op_mul) && number(arg(b, 0))) {
    return number(a) ? a * arg(b, 0) * arg(b, 1) : arg(b, 0) * (a * arg(b, 1));
  }
  return made_by(a, op_mul) && number(arg(a, 0)) ? arg(a, 0) * (arg(a, 1) * b) : Value();
}

// x·(c·y) → c·(x·y)
Value mul_factor_out(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_factor(a, b)) return {};
  if (const auto product = movable(a, y)) return product->factor * (product->rest * b);
  const auto product = movable(b, y);
  return product ? product->factor * (a * product->rest) : Value();
}

// (−k)·(a − b) → k·(b − a)
Value mul_negative_difference(Value y) {
  const auto k = number(arg(y, 0));
  const Value difference = arg(y, 1);
  if (!k || *k >= 0 || !made_by(difference, op_sub)) return {};
  return neg(arg(y, 0)) * (arg(difference, 1) - arg(difference, 0));
}

// x/c → (1/c)·x, s/k → (1/k)·s: one division instead of many
Value div_factor(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  const auto k = number(b);
  if (k && (*k == 0 || !std::isfinite(1 / *k) || number(a))) return {};
  return is_factor(b, a) || k ? y.graph().constant(1) / b * a : Value();
}

// (c·a)/b → c·(a/b), (k·s)/b → k·(s/b)
Value div_factor_out(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_scalar(a)) return made_by(a, op_mul) && number(arg(a, 0)) ? arg(a, 0) * (arg(a, 1) / b) : Value();
  const auto product = movable(a, y);
  return product && !is_factor(b, a) ? product->factor * (product->rest / b) : Value();
}

// a/(k·b) → (1/k)·(a/b)
Value div_constant_out(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (!made_by(b, op_mul) || number(a)) return {};
  const auto k = number(arg(b, 0));
  if (!k || *k == 0 || !std::isfinite(1 / *k)) return {};
  return y.graph().constant(1 / *k) * (a / arg(b, 1));
}

// c·a + c·b → c·(a + b), c + c·b → c·(1 + b)
Value add_factor(Value y) { return take_out_factor(y, add); }

// c·a − c·b → c·(a − b), c − c·b → c·(1 − b)
Value sub_factor(Value y) { return take_out_factor(y, sub); }

}  // namespace chalk::rules
