#include "src/derive/matrix.h"

#include <algorithm>
#include <optional>
#include <set>

namespace chalk::calculus {

using math::like;
using math::make;
using math::number;

namespace {

using Names = std::vector<std::string>;

/// A factor without its indices, and which these are.
struct Whole {
  ExprPtr value;
  Names axes;
};

/// What indices and values are.
struct Known {
  const IndexSpace& space;
  const std::map<std::string, ValueFacts>& values;
};

std::optional<Whole> whole(const ExprPtr& e, const Known& known);

/// Two operands with the same indices, or one of which is a number.
std::optional<Whole> elementwise(const ExprPtr& e, const Known& known) {
  const auto a = whole(e->args[0], known), b = whole(e->args[1], known);
  if (!a || !b || (!a->axes.empty() && !b->axes.empty() && a->axes != b->axes)) return std::nullopt;
  const bool product = e->kind == Kind::multiply && !a->axes.empty() && !b->axes.empty();
  auto built = like(*e, {a->value, b->value});
  if (product) built = make(Kind::hadamard, {}, {a->value, b->value});
  return Whole{built, a->axes.empty() ? b->axes : a->axes};
}

std::optional<Whole> whole(const ExprPtr& e, const Known& known) {
  switch (e->kind) {
    case Kind::number:
      return Whole{e, {}};
    case Kind::name: {
      if (is_index(*e)) return std::nullopt;
      Names axes;
      const auto facts = known.values.find(e->name);
      for (const auto& arg : e->args) {
        if (!is_index(*arg) || std::ranges::find(axes, arg->name) != axes.end()) return std::nullopt;
        const auto k = axes.size();  // an index may run along a part of the axis alone, as behind a concatenation
        if (facts != known.values.end() && known.space.range(arg->name) != Extent{0, facts->second.axes[k] - 1})
          return std::nullopt;
        axes.push_back(arg->name);
      }
      Expr bare = *e;
      bare.args.clear();
      bare.indexed = false;
      return Whole{math::node(std::move(bare)), axes};
    }
    case Kind::derivative: {
      const auto below = whole(e->args[1], known);
      if (!below || e->args[0]->kind != Kind::name || !e->args[0]->args.empty()) return std::nullopt;
      return Whole{like(*e, {e->args[0], below->value}), below->axes};
    }
    case Kind::call:
    case Kind::negate: {
      const auto inner = whole(e->args[0], known);
      return inner ? std::optional(Whole{like(*e, {inner->value}), inner->axes}) : std::nullopt;
    }
    case Kind::add:
    case Kind::subtract:
    case Kind::multiply:
    case Kind::compare:
      return elementwise(e, known);
    default:
      return std::nullopt;
  }
}

ExprPtr product(const std::vector<Whole>& factors, const Names& axes) {
  ExprPtr all;
  for (const auto& f : factors) {
    if (f.axes == axes) all = all ? make(Kind::hadamard, {}, {all, f.value}) : f.value;
  }
  return all;
}

ExprPtr transposed(const ExprPtr& e) { return make(Kind::transpose, {}, {e}); }

ExprPtr matmul(const ExprPtr& a, const ExprPtr& b) { return make(Kind::matmul, {}, {a, b}); }
ExprPtr hadamard_of(const ExprPtr& a, const ExprPtr& b) { return b ? make(Kind::hadamard, {}, {a, b}) : a; }

/// The sum over the first axis of matrices, or over the second.
ExprPtr axis_sum(const ExprPtr& e, int axis) {
  Expr sum;
  sum.kind = Kind::axis_sum;
  sum.number = axis;
  sum.args = {e};
  return math::node(std::move(sum));
}

/// Of a vector with one sum over j: W·x, Wᵀ·δ, then what is multiplied by itself; or of a matrix alone, its rows added
/// up.
ExprPtr vector_of_sum(const std::vector<Whole>& factors, const std::string& i, const std::string& j) {
  const auto vector = product(factors, {j}), matrix = product(factors, {i, j}), other = product(factors, {j, i});
  if (!matrix == !other) return nullptr;
  const auto beside = product(factors, {i});
  if (!vector) return hadamard_of(matrix ? axis_sum(matrix, 1) : axis_sum(other, 0), beside);
  return hadamard_of(matmul(matrix ? matrix : transposed(other), vector), beside);
}

/// Of a matrix with one sum: A·B, either transposed, times what has both axes.
ExprPtr matrix_of_sum(const std::vector<Whole>& factors, const Names& axes, const std::string& j) {
  const auto left = product(factors, {axes[0], j}), left_other = product(factors, {j, axes[0]});
  const auto right = product(factors, {j, axes[1]}), right_other = product(factors, {axes[1], j});
  if (!left == !left_other || !right == !right_other) return nullptr;
  return hadamard_of(matmul(left ? left : transposed(left_other), right ? right : transposed(right_other)),
                     product(factors, axes));
}

/// Of a matrix without a sum: what has both axes, with a vector along its columns or rows; or two vectors' outer
/// product.
ExprPtr matrix_of(const std::vector<Whole>& factors, const Names& axes, std::int64_t rows) {
  const auto both = product(factors, axes), first = product(factors, {axes[0]}), second = product(factors, {axes[1]});
  if (!both) {
    if (!second) return nullptr;
    return matmul(first ? first : make(Kind::ones, {}, {number(static_cast<double>(rows))}), transposed(second));
  }
  auto e = both;
  if (first) e = matmul(make(Kind::diag, {}, {first}), e);
  return second ? matmul(e, make(Kind::diag, {}, {second})) : e;
}

std::optional<ExprPtr> of_term(const Term& t, const Names& axes, const Known& known_here) {
  const auto& range = known_here.space.range(axes[0]);
  const auto rows = range.second - range.first + 1;
  if (!t.deltas.empty() || t.sums.size() > 1) return std::nullopt;
  std::vector<Whole> factors;
  for (const auto& f : t.factors) {
    const auto one = f.exponent == 1 ? whole(f.base, known_here) : std::nullopt;
    if (!one || one->axes.empty()) return std::nullopt;
    factors.push_back(*one);
  }
  const auto known = [&](const std::vector<Names>& all) {
    return std::ranges::all_of(factors, [&](const Whole& f) { return std::ranges::find(all, f.axes) != all.end(); });
  };
  const std::string &i = axes[0], &k = axes.back();
  ExprPtr e;
  if (t.sums.empty()) {
    if (!known({{i}, {k}, axes})) return std::nullopt;
    e = axes.size() == 1 ? product(factors, axes) : matrix_of(factors, axes, rows);
  } else {
    const auto& j = t.sums[0].name;
    if (axes.size() == 1 ? !known({{j}, {i, j}, {j, i}, axes}) : !known({{i, j}, {j, i}, {k, j}, {j, k}, axes}))
      return std::nullopt;
    e = axes.size() == 1 ? vector_of_sum(factors, i, j) : matrix_of_sum(factors, axes, j);
  }
  if (!e) return std::nullopt;
  const double size = t.number < 0 ? -t.number : t.number;
  if (size < 1 && 1 / size == static_cast<double>(static_cast<std::int64_t>(1 / size)))
    return make(Kind::divide, {}, {e, number(1 / size)});
  return size == 1 ? e : make(Kind::multiply, {}, {number(size), e});
}

}  // namespace

ExprPtr as_matrices(const Terms& terms, const std::vector<ExprPtr>& indices, const IndexSpace& space,
                    const std::map<std::string, ValueFacts>& values) {
  Names axes;
  for (const auto& index : indices) {
    if (!is_index(*index)) return nullptr;
    axes.push_back(index->name);
  }
  if (axes.empty() || axes.size() > 2 || terms.empty()) return nullptr;
  ExprPtr all;
  for (const bool positive : {true, false}) {
    for (const auto& t : terms) {
      if ((t.number > 0) != positive) continue;
      const auto each = of_term(t, axes, {space, values});
      if (!each) return nullptr;
      all = all        ? make(positive ? Kind::add : Kind::subtract, {}, {all, *each})
            : positive ? *each
                       : math::negated(*each);
    }
  }
  return all;
}

}  // namespace chalk::calculus
