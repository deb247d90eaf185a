// Rules for sums over axes and over samples.
#include <algorithm>

#include "src/ir/leaves.h"
#include "src/ops/attributes.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"
#include "src/passes/simplify_rules.h"

namespace chalk::rules {
namespace {

/// The sum y = Σ x taken apart.
struct Sum {
  explicit Sum(Value y)
      : x(arg(y)),
        axes(attributes<ReduceAttributes>(y).axes),
        keep(attributes<ReduceAttributes>(y).keep),
        reduced(reduced_axes(axes, x.shape().size())) {}

  /// Of a shape aligned with x's at the last axis.
  bool constant_along_axes(const Shape& shape) const {
    const Shape wide = padded(shape, reduced.size());
    for (std::size_t d = 0; d < wide.size(); ++d) {
      if (reduced[d] && wide[d] != 1) return false;
    }
    return true;
  }
  /// `a`, which is constant along the axes, in the shape that goes with y.
  Value along_y(Value a) const {
    const Shape wide = padded(a.shape(), reduced.size());
    Shape shape;
    for (std::size_t d = 0; d < wide.size(); ++d) {
      if (!reduced[d] || keep) shape.push_back(wide[d]);
    }
    return elements(shape) == 1 ? reshape(a, {}) : reshape(a, shape);
  }
  /// Σ of another value that broadcasts to x's shape, over the same axes.
  Value over(Value other) const {
    const Shape wide = padded(other.shape(), reduced.size());
    return sum(other.shape() == wide ? other : reshape(other, wide), axes, keep);
  }

  Value x;
  std::vector<std::int64_t> axes;
  bool keep;
  std::vector<bool> reduced;
};

/// Both reduce the same axes of the same value, except for axes of extent 1.
bool over_the_same_places(Value a, Value b) {
  const Shape& shape = arg(a).shape();
  const auto of_a = reduced_axes(attributes<ReduceAttributes>(a).axes, shape.size()),
             of_b = reduced_axes(attributes<ReduceAttributes>(b).axes, shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (of_a[d] != of_b[d] && shape[d] != 1) return false;
  }
  return true;
}

/// v = d, the sum over all samples of what x is above its mean μ, or such a sum with factors.
bool is_sum_of_deviations(Value v) {
  if (made_by(v, op_mul)) return is_sum_of_deviations(arg(v, 0)) || is_sum_of_deviations(arg(v, 1));
  for (const Op* op : {&op_neg, &op_reshape, &op_div, &op_sum}) {
    if (made_by(v, *op)) return is_sum_of_deviations(arg(v));
  }
  if (!made_by(v, op_batch_sum)) return false;
  const bool over_places = made_by(arg(v), op_sum);
  const Value deviation = over_places ? arg(arg(v)) : arg(v);
  if (!made_by(deviation, op_sub)) return false;
  const Value x = arg(deviation, 0), of_each = batch_mean_of(arg(deviation, 1));
  if (!of_each || !over_places) return of_each == x;
  return made_by(of_each, op_mean) && arg(of_each) == x && over_the_same_places(of_each, arg(v));
}

}  // namespace

// Σ over all axes by name → Σ over all
Value sum_all_axes(Value y) {
  const Sum s(y);
  return !s.axes.empty() && s.axes.size() == s.reduced.size() ? sum(s.x, {}, s.keep) : Value();
}

// Σ over axes of extent 1 → reshape(x)
Value sum_of_one(Value y) {
  const Shape& shape = y.shape();
  return elements(arg(y).shape()) == elements(shape) ? reshape(arg(y), shape) : Value();
}

// Σ reshape(x) → Σ x over all axes: in the same order
Value sum_of_reshape(Value y) {
  const Sum s(y);
  const Shape& shape = y.shape();
  return made_by(s.x, op_reshape) && elements(shape) == 1 ? reshape(sum(arg(s.x)), shape) : Value();
}

// Σ t → 1 for an input t that is a distribution
Value sum_distribution(Value y) {
  const Value t = arg(y);
  if (!made_by(t, op_input) || t.shape().size() != 1) return {};
  return attributes<InputAttributes>(t).distribution ? constant_of(y, 1, y.type()) : Value();
}

// Σ softmax(x) → 1 over its axis
Value sum_softmax(Value y) {
  const Sum s(y);
  if (!made_by(s.x, op_softmax)) return {};
  const auto axis = static_cast<std::size_t>(attributes<AxisAttributes>(s.x).axis);
  const bool one = s.reduced[axis] && std::count(s.reduced.begin(), s.reduced.end(), true) == 1;
  return one ? constant_of(y, 1, y.type()) : Value();
}

// Σ −x → −Σ x
Value sum_neg(Value y) {
  const Sum s(y);
  return made_by(s.x, op_neg) ? neg(s.over(arg(s.x))) : Value();
}

// Σ broadcast(x) → n·Σ x, where n is how often each is added, broadcast along the axes that remain
Value sum_broadcast(Value y) {
  const Sum s(y);
  if (!made_by(s.x, op_broadcast)) return {};
  const Type& type = y.type();
  const Value once = arg(s.x);
  const Shape narrow = padded(once.shape(), s.reduced.size());
  double n = 1;
  for (std::size_t d = 0; d < narrow.size(); ++d) {
    if (s.reduced[d] && narrow[d] == 1) n *= static_cast<double>(s.x.shape()[d]);
  }
  const Value total = s.over(once);
  return stretched(y.graph().constant(n) * total, type);
}

// Σ a·x → a·Σ x where a is the same along the axes
Value sum_scaled(Value y) {
  const Sum s(y);
  if (!made_by(s.x, op_mul)) return {};
  for (const std::size_t k : {0, 1}) {
    const Value a = arg(s.x, k), x = arg(s.x, 1 - k);
    if (s.constant_along_axes(a.shape())) return s.along_y(a) * s.over(x);
  }
  return {};
}

// Σ x/a → (Σ x)/a where a is the same along the axes
Value sum_divided(Value y) {
  const Sum s(y);
  if (!made_by(s.x, op_div)) return {};
  const Value x = arg(s.x, 0), a = arg(s.x, 1);
  if (!s.constant_along_axes(a.shape())) return {};
  const Value total = s.over(x);
  return total / s.along_y(a);
}

// Σ scatter(g, i) → Σ g over rows and columns: every g lands in exactly one place
Value sum_of_scatter(Value y) {
  const Sum s(y);
  if (!made_by(s.x, op_pool_scatter) || !s.reduced[1] || !s.reduced[2]) return {};
  return s.over(arg(s.x));
}

// Σₙ −x → −Σₙ x
Value batch_sum_neg(Value y) { return made_by(arg(y), op_neg) ? neg(batch_sum(arg(arg(y)))) : Value(); }

// Σₙ every sample the same c → N·c
Value batch_sum_same(Value y) {
  return made_by(arg(y), op_batch_broadcast) ? y.graph().batch_size() * arg(arg(y)) : Value();
}

// Σₙ c·x → c·Σₙ x
Value batch_sum_scaled(Value y) {
  const Value product = arg(y);
  if (!made_by(product, op_mul)) return {};
  for (const std::size_t k : {0, 1}) {
    const Value c = arg(product, k), x = arg(product, 1 - k);
    if (!c.batched()) return c * batch_sum(x);
  }
  return {};
}

// a + c·d → a, where d = Σₙ Σ (x − μ), μ = (1/N) Σₙ mean x over the same axes, or d = Σₙ (x − μ), μ = (1/N) Σₙ x:
// deviations from the mean sum to 0
Value add_deviations(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_sum_of_deviations(b)) return stretched(a, y.type());
  return is_sum_of_deviations(a) ? stretched(b, y.type()) : Value();
}

// a − c·d → a, c·d − b → −b for the same d
Value sub_deviations(Value y) {
  const Value a = arg(y, 0), b = arg(y, 1);
  if (is_sum_of_deviations(b)) return stretched(a, y.type());
  return is_sum_of_deviations(a) ? stretched(neg(b), y.type()) : Value();
}

// Σₙ reshape(x) → reshape(Σₙ x)
Value batch_sum_reshape(Value y) {
  const Shape& shape = y.shape();
  return made_by(arg(y), op_reshape) ? reshape(batch_sum(arg(arg(y))), shape) : Value();
}

// Σₙ broadcast(x) → broadcast(Σₙ x)
Value batch_sum_stretched(Value y) {
  const Shape& shape = y.shape();
  return made_by(arg(y), op_broadcast) ? broadcast(batch_sum(arg(arg(y))), shape) : Value();
}

}  // namespace chalk::rules
