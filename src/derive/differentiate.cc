#include "src/derive/differentiate.h"

#include <algorithm>

#include "src/math/symbols.h"

namespace chalk::calculus {

using math::compared;
using math::difference;
using math::make;
using math::negated;
using math::number;
using math::product;
using math::ratio;
using math::sum_of;

bool has_value(const ExprPtr& e, const std::string& value) {
  if (e->kind == Kind::name && e->name == value) return true;
  return std::ranges::any_of(e->args, [&](const auto& arg) { return has_value(arg, value); });
}

namespace {

class Rules {
 public:
  Rules(const std::string& value, const std::vector<ExprPtr>& indices, IndexSpace& space)
      : value_(value), indices_(indices), space_(space) {}

  ExprPtr run(const ExprPtr& e) {
    if (!has_value(e, value_)) return number(0);
    switch (e->kind) {
      case Kind::name: {
        ExprPtr all = number(1);
        for (std::size_t k = 0; k < e->args.size(); ++k)
          all = product(all, make(Kind::delta, {}, {e->args[k], indices_[k]}));
        return all;
      }
      case Kind::negate:
        return negated(run(e->args[0]));
      case Kind::add:
        return sum_of(run(e->args[0]), run(e->args[1]));
      case Kind::subtract:
        return difference(run(e->args[0]), run(e->args[1]));
      case Kind::multiply:  // (a·b)' = a'·b + a·b'
        return sum_of(product(run(e->args[0]), e->args[1]), product(e->args[0], run(e->args[1])));
      case Kind::divide: {  // (a/b)' = a'/b − a·b'/b²
        const auto &a = e->args[0], &b = e->args[1];
        return difference(ratio(run(a), b), ratio(product(a, run(b)), make(Kind::power, {}, {b, number(2)})));
      }
      case Kind::power:  // (aⁿ)' = n·aⁿ⁻¹·a'
        if (e->args[1]->kind == Kind::number) {
          const double n = e->args[1]->number;
          const auto below = n == 2 ? e->args[0] : make(Kind::power, {}, {e->args[0], number(n - 1)});
          return product(product(number(n), below), run(e->args[0]));
        }
        return product(product(e->args[1], make(Kind::power, {}, {e->args[0], difference(e->args[1], number(1))})),
                       run(e->args[0]));
      case Kind::call:
        return product(of_function(*e), run(e->args[0]));
      case Kind::reduce:
        return of_reduce(e);
      default:  // δ and comparisons
        return number(0);
    }
  }

 private:
  /// f'(x)
  static ExprPtr of_function(const Expr& e) {
    const auto& x = e.args[0];
    if (e.name == "relu") return compared(math::Comparison::greater, x, number(0));
    const bool of_softplus = e.name == "ln" && x->kind == Kind::add && is_number(*x->args[0], 1) &&
                             x->args[1]->kind == Kind::call && x->args[1]->name == "exp";
    if (of_softplus) {  // (ln(1 + eᵘ))' = σ(u)·u', and (1 + eᵘ)' = eᵘ·u' is what it will be multiplied with
      const auto& u = x->args[1]->args[0];
      return ratio(math::call_of("sigmoid", u, {}), math::call_of("exp", u, {}));
    }
    return math::builtin_derivative(e.name, x);
  }

  ExprPtr of_reduce(const ExprPtr& e) {
    if (e->reduction == math::Reduction::argmax) return number(0);
    if (e->bounds.empty()) return of_pair(*e);
    const auto d = run(e->args[0]);
    Expr sum = *e;
    sum.reduction = math::Reduction::sum;
    if (e->reduction == math::Reduction::sum) {
      sum.args = {d};
      return math::node(std::move(sum));
    }
    // Σ [this is the place of the first maximum]·d
    Expr place = *e;
    place.reduction = math::Reduction::argmax;
    ExprPtr rank = number(0);
    std::map<std::string, ExprPtr> other;
    for (auto& bound : place.bounds) {
      const auto extent = static_cast<double>(bound.range->second + 1);
      Expr index;
      index.kind = Kind::name;
      index.name = bound.name;
      rank = sum_of(product(number(extent), rank), math::node(std::move(index)));
      const auto fresh = space_.fresh(bound.name[0], *bound.range);
      other[bound.name] = fresh;
      bound.name = fresh->name;
    }
    place.args = {replaced(e->args[0], other)};
    sum.args = {
        product(compared(math::Comparison::equal, math::node(std::move(place)), simple_index(rank, space_)), d)};
    return math::node(std::move(sum));
  }

  /// max(a, b): each one's derivative where it is the larger, half of it at a tie.
  ExprPtr of_pair(const Expr& e) {
    const auto &a = e.args[0], &b = e.args[1];
    const auto more = e.reduction == math::Reduction::maximum ? math::Comparison::greater : math::Comparison::less;
    const auto tie = ratio(compared(math::Comparison::equal, a, b), number(2));
    return sum_of(product(sum_of(compared(more, a, b), tie), run(a)),
                  product(sum_of(compared(more, b, a), tie), run(b)));
  }

  const std::string& value_;
  const std::vector<ExprPtr>& indices_;
  IndexSpace& space_;
};

}  // namespace

ExprPtr derivative_of(const ExprPtr& e, const std::string& value, const std::vector<ExprPtr>& indices,
                      IndexSpace& space) {
  return Rules(value, indices, space).run(e);
}

}  // namespace chalk::calculus
