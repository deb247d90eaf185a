#include "src/math/derive.h"

#include <unordered_map>

#include "src/base/text.h"
#include "src/math/error.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

ExprPtr delta(const ExprPtr& a, const ExprPtr& b) { return make(Kind::delta, a->place, {a, b}); }

ExprPtr with_body(const Expr& reduce, Reduction reduction, const ExprPtr& body) {
  Expr e = reduce;
  e.reduction = reduction;
  e.args = {body};
  return node(std::move(e));
}

class Deriver {
 public:
  Deriver(const Expr* hole, int symbol, const std::vector<ExprPtr>& args, const Symbols& symbols, Indices& indices)
      : hole_(hole), symbol_(symbol), args_(args), symbols_(symbols), indices_(indices) {}

  /// Deep trees are walked here alone, and little is kept on the stack: so the rules are not to be inlined.
  ExprPtr run(const ExprPtr& e) {
    if (const auto found = done_.find(e.get()); found != done_.end()) return found->second;
    indices_.step(e->place);
    std::vector<ExprPtr> d;  // of the parts
    if (changes_with_its_parts(*e)) {
      d.reserve(e->args.size());
      for (const auto& arg : e->args) d.push_back(run(arg));
    }
    auto result = rule(e, d);
    done_.emplace(e.get(), result);
    return result;
  }

 private:
  static bool changes_with_its_parts(const Expr& e) {
    switch (e.kind) {
      case Kind::negate:
      case Kind::add:
      case Kind::subtract:
      case Kind::multiply:
      case Kind::divide:
      case Kind::power:
      case Kind::call:
        return true;
      case Kind::reduce:
        return e.reduction != Reduction::argmax;
      default:
        return false;
    }
  }

  [[gnu::noinline]] ExprPtr rule(const ExprPtr& e, const std::vector<ExprPtr>& d) {
    if (e.get() == hole_) return number(1, e->place);
    switch (e->kind) {
      case Kind::value:
        return of_value(*e);
      case Kind::negate:
        return negated(d[0]);
      case Kind::add:
        return sum_of(d[0], d[1]);
      case Kind::subtract:
        return difference(d[0], d[1]);
      case Kind::multiply:  // (a·b)' = a'·b + a·b'
        return sum_of(product(d[0], e->args[1]), product(e->args[0], d[1]));
      case Kind::divide: {  // (a/b)' = a'/b − a·b'/b²
        const auto &a = e->args[0], &b = e->args[1];
        return difference(ratio(d[0], b), ratio(product(a, d[1]), product(b, b)));
      }
      case Kind::power:
        return of_power(*e, d[0], d[1]);
      case Kind::call:  // f(a)' = f'(a)·a'
        go_by(convention(e->name), *d[0]);
        return product(d[0], builtin_derivative(e->name, e->args[0]));
      case Kind::reduce:
        return of_reduce(e, d);
      case Kind::jacobian:
        if (!symbol_changes(e->id)) break;
        return of_jacobian(*e);
      case Kind::limit:  // whoever asks for this derivative asks for its limits
        return run(e->args[0]);
      case Kind::at:
        throw FormulaError(e->place, "the derivative of at(…) is not known; derive before values change");
      default:  // numbers, indices, comparisons, Kronecker's delta
        break;
    }
    return number(0, e->place);
  }

  void go_by(Convention convention, const Expr& derivative) {
    if (!is_number(derivative, 0)) indices_.go_by(convention);
  }

  bool symbol_changes(int id) const { return symbol_ >= 0 && symbols_.depends(id, symbol_); }

  ExprPtr of_value(const Expr& e) {
    if (!symbol_changes(e.id)) return number(0, e.place);
    if (e.id == symbol_) {
      ExprPtr product_of = number(1, e.place);
      for (std::size_t k = 0; k < args_.size(); ++k) product_of = product(product_of, delta(e.args[k], args_[k]));
      return product_of;
    }
    indices_.go_by(symbols_[e.id].conventions);
    Expr j;
    j.kind = Kind::jacobian;
    j.place = e.place;
    j.id = e.id;
    j.other = symbol_;
    j.args = e.args;
    j.args.insert(j.args.end(), args_.begin(), args_.end());
    return node(std::move(j));
  }

  /// Of a definition: its body derived, and derived once more. Of a network's value: its second derivative, by the
  /// engine.
  ExprPtr of_jacobian(const Expr& e) {
    const auto& value = symbols_[e.id];
    if (value.kind == Symbol::Kind::defined && e.third < 0) {
      const auto split = e.args.begin() + static_cast<std::ptrdiff_t>(value.extents.size());
      std::map<int, ExprPtr> by;
      for (std::size_t k = 0; k < value.axes.size(); ++k) by[value.axes[k]] = e.args[k];
      const auto body = substitute(value.body, by);
      return run(derive(body, e.other, {split, e.args.end()}, symbols_, indices_));
    }
    if (value.kind == Symbol::Kind::defined || e.third >= 0)
      throw FormulaError(e.place, "third derivatives of values are not known; derive a formula instead");
    indices_.go_by(value.conventions);
    Expr j = e;
    j.third = symbol_;
    j.args.insert(j.args.end(), args_.begin(), args_.end());
    return node(std::move(j));
  }

  /// (a^b)' = b·a^(b−1)·a' + a^b·ln(a)·b'
  static ExprPtr of_power(const Expr& e, const ExprPtr& da, const ExprPtr& db) {
    const auto &a = e.args[0], &b = e.args[1];
    auto result = product(product(b, make(Kind::power, e.place, {a, difference(b, number(1, b->place))})), da);
    if (is_number(*b, 2)) result = product(product(b, a), da);
    if (is_number(*db, 0)) return result;
    const auto whole = make(Kind::power, e.place, {a, b});
    return sum_of(result, product(product(whole, call_of("ln", a, e.place)), db));
  }

  ExprPtr of_reduce(const ExprPtr& e, const std::vector<ExprPtr>& parts) {
    if (e->reduction == Reduction::argmax) return number(0, e->place);
    if (is_pair(*e)) return of_pair(*e, parts);
    const auto& body = e->args[0];
    const auto& d = parts[0];
    if (is_number(*d, 0)) return d;
    if (e->reduction == Reduction::sum) return with_body(*e, Reduction::sum, d);
    for (const auto& bound : e->bounds) {
      if (!indices_[bound.id].range)
        throw FormulaError(bound.place,
                           str("to derive this, the range of ", bound.name, " must stand here: ", bound.name, "=0..3"));
    }
    if (e->reduction == Reduction::product) {  // Σᵢ aᵢ'·Πⱼ (j = i ? 1 : aⱼ)
      std::map<int, ExprPtr> others;
      Expr inner = *e;
      ExprPtr same = number(1, e->place);
      for (auto& bound : inner.bounds) {
        const int id = indices_.add(indices_[bound.id]);
        others[bound.id] = index(id, e->place);
        same = product(same, delta(others[bound.id], index(bound.id, e->place)));
        bound.id = id;
      }
      const auto one = number(1, e->place);
      inner.args = {sum_of(same, product(difference(one, same), substitute(body, others)))};
      return with_body(*e, Reduction::sum, product(d, node(std::move(inner))));
    }
    // A maximum passes its derivative to the first of the largest: Σᵢ [i is the first largest]·aᵢ'
    indices_.go_by(kReduction);
    ExprPtr place_of = number(0, e->place);
    for (const auto& bound : e->bounds) {
      const auto& range = *indices_[bound.id].range;
      const auto offset = difference(index(bound.id, e->place), number(static_cast<double>(range.first)));
      place_of = sum_of(product(place_of, number(static_cast<double>(range.second - range.first + 1))), offset);
    }
    const auto first = e->reduction == Reduction::maximum ? body : negated(body);
    const auto chosen = compared(Comparison::equal, with_body(*e, Reduction::argmax, first), place_of);
    return with_body(*e, Reduction::sum, product(chosen, d));
  }

  /// max(a, b)' = θ·a' + (1 − θ)·b', where θ = (1 + sign(a − b))/2: 1 where a is larger, ½ at a tie.
  ExprPtr of_pair(const Expr& e, const std::vector<ExprPtr>& d) {
    const auto &a = e.args[0], &b = e.args[1];
    const auto share = [&](const ExprPtr& larger, const ExprPtr& smaller) {
      const auto sign = call_of("sign", difference(larger, smaller), e.place);
      return ratio(sum_of(number(1, e.place), sign), number(2, e.place));
    };
    const bool max = e.reduction == Reduction::maximum;
    go_by(kPair, *d[0]);
    go_by(kPair, *d[1]);
    return sum_of(product(max ? share(a, b) : share(b, a), d[0]), product(max ? share(b, a) : share(a, b), d[1]));
  }

  static ExprPtr index(int id, Place place) {
    Expr e;
    e.kind = Kind::index;
    e.place = place;
    e.id = id;
    return node(std::move(e));
  }

  const Expr* hole_;
  int symbol_;
  const std::vector<ExprPtr>& args_;
  const Symbols& symbols_;
  Indices& indices_;
  std::unordered_map<const Expr*, ExprPtr> done_;  // a subtree may occur many times
};

}  // namespace

ExprPtr derive(const ExprPtr& e, int symbol, const std::vector<ExprPtr>& args, const Symbols& symbols,
               Indices& indices) {
  return Deriver(nullptr, symbol, args, symbols, indices).run(e);
}

ExprPtr derive(const ExprPtr& e, const Expr* hole, const Symbols& symbols, Indices& indices) {
  return Deriver(hole, -1, {}, symbols, indices).run(e);
}

}  // namespace chalk::math
