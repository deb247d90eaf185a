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

std::optional<Whole> whole(const ExprPtr& e);

/// Two operands with the same indices, or one of which is a number.
std::optional<Whole> elementwise(const ExprPtr& e) {
  const auto a = whole(e->args[0]), b = whole(e->args[1]);
  if (!a || !b || (!a->axes.empty() && !b->axes.empty() && a->axes != b->axes)) return std::nullopt;
  const bool product = e->kind == Kind::multiply && !a->axes.empty() && !b->axes.empty();
  auto built = like(*e, {a->value, b->value});
  if (product) built = make(Kind::hadamard, {}, {a->value, b->value});
  return Whole{built, a->axes.empty() ? b->axes : a->axes};
}

std::optional<Whole> whole(const ExprPtr& e) {
  switch (e->kind) {
    case Kind::number:
      return Whole{e, {}};
    case Kind::name: {
      if (is_index(*e)) return std::nullopt;
      Names axes;
      for (const auto& arg : e->args) {
        if (!is_index(*arg) || std::ranges::find(axes, arg->name) != axes.end()) return std::nullopt;
        axes.push_back(arg->name);
      }
      Expr bare = *e;
      bare.args.clear();
      bare.indexed = false;
      return Whole{math::node(std::move(bare)), axes};
    }
    case Kind::derivative: {
      const auto below = whole(e->args[1]);
      if (!below || e->args[0]->kind != Kind::name || !e->args[0]->args.empty()) return std::nullopt;
      return Whole{like(*e, {e->args[0], below->value}), below->axes};
    }
    case Kind::call:
    case Kind::negate: {
      const auto inner = whole(e->args[0]);
      return inner ? std::optional(Whole{like(*e, {inner->value}), inner->axes}) : std::nullopt;
    }
    case Kind::add:
    case Kind::subtract:
    case Kind::multiply:
    case Kind::compare:
      return elementwise(e);
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

std::optional<ExprPtr> of_term(const Term& t, const Names& axes) {
  if (!t.deltas.empty() || t.sums.size() > 1) return std::nullopt;
  std::vector<Whole> factors;
  for (const auto& f : t.factors) {
    const auto one = f.exponent == 1 ? whole(f.base) : std::nullopt;
    if (!one || one->axes.empty()) return std::nullopt;
    factors.push_back(*one);
  }
  const auto known = [&](const std::vector<Names>& all) {
    return std::ranges::all_of(factors, [&](const Whole& f) { return std::ranges::find(all, f.axes) != all.end(); });
  };
  ExprPtr e;
  if (!t.sums.empty()) {  // W·x, Wᵀ·δ, then what is multiplied by itself
    const auto& j = t.sums[0].name;
    if (axes.size() != 1) return std::nullopt;
    const Names inner{j}, rows{axes[0], j}, columns{j, axes[0]};
    const auto vector = product(factors, inner), matrix = product(factors, rows), other = product(factors, columns);
    if (!vector || !(matrix == nullptr) == !(other == nullptr) || !known({inner, rows, columns, axes}))
      return std::nullopt;
    e = make(Kind::matmul, {}, {matrix ? matrix : transposed(other), vector});
    if (const auto beside = product(factors, axes)) e = make(Kind::hadamard, {}, {e, beside});
  } else if (axes.size() == 2) {
    const Names first{axes[0]}, second{axes[1]}, both{axes[0], axes[1]};
    if (const auto same = product(factors, both)) {
      if (!known({both})) return std::nullopt;
      e = same;
    } else {
      const auto a = product(factors, first), b = product(factors, second);
      if (!a || !b || !known({first, second})) return std::nullopt;
      e = make(Kind::matmul, {}, {a, transposed(b)});
    }
  } else {
    e = product(factors, axes);
    if (!e || !known({axes})) return std::nullopt;
  }
  const double size = t.number < 0 ? -t.number : t.number;
  return size == 1 ? e : make(Kind::multiply, {}, {number(size), e});
}

}  // namespace

ExprPtr as_matrices(const Terms& terms, const std::vector<ExprPtr>& indices) {
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
      const auto each = of_term(t, axes);
      if (!each) return nullptr;
      all = all        ? make(positive ? Kind::add : Kind::subtract, {}, {all, *each})
            : positive ? *each
                       : math::negated(*each);
    }
  }
  return all;
}

}  // namespace chalk::calculus
