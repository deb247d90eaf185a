#include "src/derive/algebra.h"

#include <algorithm>
#include <cmath>

namespace chalk::calculus {

using math::like;
using math::make;
using math::number;

bool has_delta(const ExprPtr& e) { return e->kind == Kind::delta || std::ranges::any_of(e->args, has_delta); }

bool has_derivative(const ExprPtr& e) {
  return e->kind == Kind::derivative || std::ranges::any_of(e->args, has_derivative);
}

namespace {

bool plain(const Term& t) { return t.sums.empty() && t.deltas.empty(); }

bool any_has_delta(const Terms& terms) {
  return std::ranges::any_of(terms, [](const Term& t) {
    return !t.deltas.empty() ||
           std::ranges::any_of(t.factors, [](const Factor& f) { return calculus::has_delta(f.base); });
  });
}

/// The order in which people write factors: derivatives, brackets, values, functions, conditions.
int rank(const ExprPtr& e) {
  switch (e->kind) {
    case Kind::derivative:
      return 0;
    case Kind::add:
    case Kind::subtract:
    case Kind::negate:  // (a − t) before other values, (1 − a) behind them
      return has_derivative(e) ? 0 : e->args[0]->kind == Kind::number ? 4 : 1;
    case Kind::name:
      return 2;
    case Kind::reduce:
      return 6;
    case Kind::compare:
      return 5;
    default:
      return 3;
  }
}

bool mentions(const Term& t, const std::string& index) {
  return std::ranges::any_of(t.factors, [&](const Factor& f) { return calculus::mentions(f.base, index); }) ||
         std::ranges::any_of(t.deltas, [&](const auto& d) {
           return calculus::mentions(d.first, index) || calculus::mentions(d.second, index);
         });
}

}  // namespace

void Algebra::substitute(Term& t, const std::string& index, const ExprPtr& by) const {
  const std::map<std::string, ExprPtr> one{{index, by}};
  const auto simple = [&](const ExprPtr& e) {
    const std::function<ExprPtr(const ExprPtr&)> in = [&](const ExprPtr& x) -> ExprPtr {
      if (x->args.empty()) return x;
      std::vector<ExprPtr> args;
      const bool indices = x->kind == Kind::name || x->kind == Kind::delta;
      for (const auto& arg : x->args) args.push_back(indices ? simple_index(arg, space_) : in(arg));
      return like(*x, std::move(args));
    };
    return in(replaced(e, one));
  };
  for (auto& f : t.factors) f.base = simple(f.base);
  for (auto& d : t.deltas) {
    d.first = simple_index(replaced(d.first, one), space_);
    d.second = simple_index(replaced(d.second, one), space_);
  }
}

/// The product. What both of them sum over gets a new name in b.
Term Algebra::combined(const Term& a, Term b) const {
  for (auto& bound : b.sums) {
    const bool taken = std::ranges::any_of(a.sums, [&](const auto& other) { return other.name == bound.name; });
    if (!taken && !mentions(a, bound.name)) continue;
    const auto fresh = space_.fresh(bound.name[0], *bound.range);
    substitute(b, bound.name, fresh);
    bound.name = fresh->name;
  }
  b.number *= a.number;
  b.deltas.insert(b.deltas.begin(), a.deltas.begin(), a.deltas.end());
  b.factors.insert(b.factors.begin(), a.factors.begin(), a.factors.end());
  b.sums.insert(b.sums.begin(), a.sums.begin(), a.sums.end());
  return b;
}

Term Algebra::as_factor(const Terms& terms) const {
  if (terms.size() == 1) return terms[0];
  if (terms.empty()) return {.number = 0};
  // 2·(a − b) rather than (2·a − 2·b), and (a − b) rather than −(b − a).
  const double common = terms[0].number;
  const bool same =
      common != 0 && std::ranges::all_of(terms, [&](const Term& t) { return std::abs(t.number) == std::abs(common); });
  if (!same || std::abs(common) == 1) return {.factors = {{expression(terms)}}};
  auto scaled = terms;
  for (auto& t : scaled) t.number /= std::abs(common);
  return {.number = std::abs(common), .factors = {{expression(scaled)}}};
}

Terms Algebra::product(const Terms& a, const Terms& b) const {
  if (a.empty() || b.empty()) return {};
  const auto open = [](const Terms& t) { return t.size() == 1 || any_has_delta(t); };
  if (!open(a)) return product({as_factor(a)}, b);
  if (!open(b)) return product(a, {as_factor(b)});
  Terms all;
  for (const auto& x : a) {
    for (const auto& y : b) all.push_back(combined(x, y));
  }
  return all;
}

Terms Algebra::power(const Terms& a, double exponent) const {
  if (exponent == 1) return a;
  if (a.empty()) return {};
  Term t = a.size() == 1 && plain(a[0]) ? a[0] : Term{.factors = {{expression(a)}}};
  const bool whole = exponent == std::floor(exponent);
  const bool single = t.factors.size() == 1 && t.number == 1 && t.factors[0].exponent == 1;
  if (!whole && !single) t = {.factors = {{expression(Terms{t})}}};
  t.number = std::pow(t.number, exponent);
  for (auto& f : t.factors) f.exponent *= exponent;
  return {t};
}

Terms Algebra::expand(const ExprPtr& e) const {
  switch (e->kind) {
    case Kind::number:
      return e->number == 0 ? Terms{} : Terms{{.number = e->number}};
    case Kind::negate:
    case Kind::add:
    case Kind::subtract: {
      auto all = expand(e->args[0]);
      auto more = e->args.size() > 1 ? expand(e->args[1]) : Terms{};
      for (auto& t : e->kind == Kind::negate ? all : more) t.number *= e->kind == Kind::add ? 1 : -1;
      all.insert(all.end(), more.begin(), more.end());
      return all;
    }
    case Kind::multiply:
      return product(expand(e->args[0]), expand(e->args[1]));
    case Kind::divide:
      return product(expand(e->args[0]), power(expand(e->args[1]), -1));
    case Kind::power:
      if (e->args[1]->kind == Kind::number) return power(expand(e->args[0]), e->args[1]->number);
      if (e->args[1]->kind == Kind::negate && e->args[1]->args[0]->kind == Kind::number)
        return power(expand(e->args[0]), -e->args[1]->args[0]->number);
      return {{.factors = {{like(*e, {expression(expand(e->args[0])), expression(expand(e->args[1]))})}}}};
    case Kind::call:
      if (e->name == "sqrt" && e->primes == 0) return power(expand(e->args[0]), 0.5);
      return {{.factors = {{like(*e, {expression(expand(e->args[0]))})}}}};
    case Kind::delta:
      return {{.deltas = {{simple_index(e->args[0], space_), simple_index(e->args[1], space_)}}}};
    case Kind::compare:
      return {{.factors = {{like(*e, {expression(expand(e->args[0])), expression(expand(e->args[1]))})}}}};
    case Kind::reduce: {
      if (e->reduction != math::Reduction::sum || e->bounds.empty()) {
        std::vector<ExprPtr> args;
        for (const auto& arg : e->args) args.push_back(expression(expand(arg)));
        return {{.factors = {{like(*e, std::move(args))}}}};
      }
      // Each sum gets indices of its own, so that one that stands in several places is not mistaken for another.
      auto bounds = e->bounds;
      std::map<std::string, ExprPtr> own;
      for (auto& bound : bounds) {
        const auto fresh = space_.fresh(bound.name[0], *bound.range);
        own[bound.name] = fresh;
        bound.name = fresh->name;
      }
      auto body = expand(replaced(e->args[0], own));
      if (body.size() > 1 && !any_has_delta(body)) body = {as_factor(body)};
      for (auto& t : body) t.sums.insert(t.sums.begin(), bounds.begin(), bounds.end());
      return body;
    }
    case Kind::name: {
      if (is_index(*e) || e->args.empty()) return {{.factors = {{e}}}};
      std::vector<ExprPtr> args;
      for (const auto& arg : e->args) args.push_back(simple_index(arg, space_));
      return {{.factors = {{like(*e, std::move(args))}}}};
    }
    default:
      return {{.factors = {{e}}}};
  }
}

Term Algebra::closed(const ExprPtr& e) const {
  switch (e->kind) {
    case Kind::negate: {
      auto t = closed(e->args[0]);
      t.number = -t.number;
      return t;
    }
    case Kind::multiply:
      return combined(closed(e->args[0]), closed(e->args[1]));
    case Kind::divide: {
      const auto below = power({closed(e->args[1])}, -1);
      return combined(closed(e->args[0]), below[0]);
    }
    case Kind::reduce: {
      if (e->reduction != math::Reduction::sum || e->bounds.empty()) break;
      auto t = closed(e->args[0]);
      t.sums.insert(t.sums.begin(), e->bounds.begin(), e->bounds.end());
      return t;
    }
    case Kind::add:
    case Kind::subtract:
      return {.factors = {{e}}};
    default:
      break;
  }
  return as_factor(expand(e));
}

bool Algebra::sign_into_bracket(Term& term) const {
  if (term.number >= 0) return false;
  const auto bracket = std::ranges::find_if(
      term.factors, [](const Factor& f) { return f.exponent == 1 && f.base->kind == Kind::subtract; });
  if (bracket == term.factors.end()) return false;
  bracket->base = make(Kind::subtract, {}, {bracket->base->args[1], bracket->base->args[0]});
  term.number = -term.number;
  return true;
}

Terms Algebra::multiplied_out(const Terms& terms) const {
  Terms all;
  for (const auto& t : terms) {
    Term rest = t;
    rest.factors.clear();
    Terms made{rest};
    for (const auto& f : t.factors) {
      const bool bracket = f.exponent == 1 && (f.base->kind == Kind::add || f.base->kind == Kind::subtract ||
                                               f.base->kind == Kind::negate);
      const Terms parts = bracket ? expand(f.base) : Terms{{.factors = {f}}};
      Terms next;
      for (const auto& m : made) {
        for (const auto& p : parts) next.push_back(combined(m, p));
      }
      made = std::move(next);
    }
    all.insert(all.end(), made.begin(), made.end());
  }
  return all;
}

// ---- back to an expression ----

namespace {

ExprPtr times_if_any(const ExprPtr& a, const ExprPtr& b) { return a ? make(Kind::multiply, {}, {a, b}) : b; }

/// base^exponent for a positive exponent.
ExprPtr raised(const ExprPtr& base, double exponent) {
  if (exponent == 1) return base;
  if (exponent == 0.5) return math::call_of("sqrt", base, {});
  return make(Kind::power, {}, {base, number(exponent)});
}

/// number as numerator / denominator; whole numbers where they are found.
std::pair<double, double> ratio(double value) {
  constexpr int kMost = 65536;
  if (value == std::floor(value)) return {value, 1};
  for (int below = 2; below <= kMost; ++below) {
    const double above = value * below;
    const double rounded = std::round(above);
    if (rounded != 0 && std::abs(above - rounded) <= 1e-13 * std::abs(above)) {
      if (std::abs(rounded) > 1000) break;
      return {rounded, below};
    }
  }
  return {value, 1};
}

}  // namespace

ExprPtr Algebra::expression(const Term& term) const {
  // What does not depend on any index of a sum stands before it.
  std::set<std::string> bound;
  for (const auto& b : term.sums) bound.insert(b.name);
  const auto inside = [&](const ExprPtr& e) {
    return std::ranges::any_of(bound, [&](const auto& name) { return calculus::mentions(e, name); });
  };
  auto factors = term.factors;
  std::ranges::stable_sort(factors, {}, [](const Factor& f) { return rank(f.base); });
  ExprPtr above[2], below[2];  // outside of the sum, inside
  const auto [numerator, denominator] = ratio(std::abs(term.number));
  if (numerator != 1) above[0] = number(numerator);
  if (denominator != 1) below[0] = number(denominator);
  for (const auto& [a, b] : term.deltas) {
    auto& to = above[inside(a) || inside(b) ? 1 : 0];
    to = times_if_any(to, make(Kind::delta, {}, {a, b}));
  }
  for (const auto& f : factors) {
    const int where = inside(f.base) ? 1 : 0;
    auto& to = f.exponent > 0 ? above[where] : below[where];
    to = times_if_any(to, raised(f.base, std::abs(f.exponent)));
  }
  const auto quotient = [](const ExprPtr& a, const ExprPtr& b) {
    return b ? make(Kind::divide, {}, {a ? a : number(1), b}) : a;
  };
  ExprPtr e = quotient(above[0], below[0]);
  if (!term.sums.empty()) {
    const auto body = quotient(above[1], below[1]);
    e = times_if_any(e, math::over(math::Reduction::sum, term.sums, body ? body : number(1)));
  }
  if (!e) e = number(1);
  return term.number < 0 ? math::negated(e) : e;
}

ExprPtr Algebra::expression(const Terms& terms) const {
  if (terms.empty()) return number(0);
  ExprPtr e;
  for (const bool positive : {true, false}) {
    for (const auto& t : terms) {
      if ((t.number > 0) != positive) continue;
      auto size = t;
      size.number = std::abs(t.number);
      const auto each = expression(size);
      e = e ? make(positive ? Kind::add : Kind::subtract, {}, {e, each}) : positive ? each : math::negated(each);
    }
  }
  return e;
}

// ---- rules ----

void Algebra::collect(Terms& terms) const {
  for (auto& t : terms) {
    std::vector<Factor> merged;
    for (const auto& f : t.factors) {
      if (f.base->kind == Kind::number) {
        t.number *= std::pow(f.base->number, f.exponent);
        continue;
      }
      const auto same = std::ranges::find_if(merged, [&](const Factor& m) { return key(m.base) == key(f.base); });
      if (same == merged.end()) {
        merged.push_back(f);
      } else if (f.base->kind != Kind::compare) {  // [a > b]² = [a > b]
        same->exponent += f.exponent;
      }
    }
    std::erase_if(merged, [](const Factor& f) { return f.exponent == 0; });
    t.factors = std::move(merged);
  }
  Terms all;
  std::vector<std::string> keys;
  for (const auto& t : terms) {
    auto one = t;
    one.number = 1;
    const auto mine = key(expression(one));
    const auto found = std::ranges::find(keys, mine);
    if (found == keys.end()) {
      keys.push_back(mine);
      all.push_back(t);
    } else {
      all[static_cast<std::size_t>(found - keys.begin())].number += t.number;
    }
  }
  std::erase_if(all, [](const Term& t) { return t.number == 0; });
  terms = std::move(all);
}

/// Whether the product is 0 wherever the index is outside of its range, since a value is that has it as an index.
bool Algebra::outside_is_zero(const Term& t, const std::string& index) const {
  const auto& range = space_.range(index);
  const std::function<bool(const ExprPtr&)> of = [&](const ExprPtr& e) -> bool {
    if (e->kind == Kind::derivative) return of(e->args[1]);
    if (e->kind == Kind::multiply) return of(e->args[0]) || of(e->args[1]);
    if (e->kind != Kind::name || e->args.empty()) return false;
    const auto facts = values_.find(e->name);
    if (facts == values_.end()) return false;
    for (std::size_t k = 0; k < e->args.size(); ++k) {
      if (is_index(*e->args[k]) && e->args[k]->name == index && range == Extent{0, facts->second.axes[k] - 1})
        return true;
    }
    return false;
  };
  return std::ranges::any_of(t.factors, [&](const Factor& f) { return f.exponent > 0 && of(f.base); });
}

bool Algebra::sift_one(Term& t) const {
  for (std::size_t d = 0; d < t.deltas.size(); ++d) {
    const auto a = linear(t.deltas[d].first), b = linear(t.deltas[d].second);
    if (!a || !b) continue;
    const auto zero = calculus::difference(*a, *b);  // what has to be 0
    if (zero.atoms.empty()) {
      if (zero.constant != 0) t.number = 0;
      t.deltas.erase(t.deltas.begin() + static_cast<std::ptrdiff_t>(d));
      return true;
    }
    // Digits agree one by one.
    const auto left = digits(t.deltas[d].first, space_), right = digits(t.deltas[d].second, space_);
    if (left && right && left->size() > 1 && left->size() == right->size()) {
      bool same = true;
      for (std::size_t k = 0; k < left->size(); ++k) {
        same = same && (*left)[k].second == (*right)[k].second &&
               (k == 0 || space_.range((*left)[k].first->name) == space_.range((*right)[k].first->name));
      }
      if (same) {
        t.deltas.erase(t.deltas.begin() + static_cast<std::ptrdiff_t>(d));
        for (std::size_t k = 0; k < left->size(); ++k)
          t.deltas.insert(t.deltas.begin() + static_cast<std::ptrdiff_t>(d + k), {(*left)[k].first, (*right)[k].first});
        return true;
      }
    }
    // An index whose range holds all that it becomes is the best; else one of a value that is 0 outside of it.
    for (std::size_t tried = 0; tried < 2 * t.sums.size(); ++tried) {
      const auto s = t.sums.size() - 1 - tried % t.sums.size();
      const bool must_be_safe = tried < t.sums.size();
      const auto index = t.sums[s].name;
      const auto factor = zero.of(index);
      if (factor != 1 && factor != -1) continue;
      Linear rest = zero;
      std::erase_if(rest.atoms, [&](const auto& atom) { return is_index(*atom.first) && atom.first->name == index; });
      for (auto& [atom, each] : rest.atoms) each *= -factor;
      rest.constant *= -factor;
      const auto by = calculus::expression(rest);
      const auto inside = space_.between(by);
      const auto& range = space_.range(index);
      const bool safe = inside && inside->first >= range.first && inside->second <= range.second;
      // An index by itself runs along the whole of an axis.
      if (!safe && (must_be_safe || is_index(*by) || !outside_is_zero(t, index))) continue;
      t.deltas.erase(t.deltas.begin() + static_cast<std::ptrdiff_t>(d));
      t.sums.erase(t.sums.begin() + static_cast<std::ptrdiff_t>(s));
      substitute(t, index, by);
      return true;
    }
    if (const auto possible = space_.between(calculus::expression(zero));
        possible && (possible->first > 0 || possible->second < 0)) {
      t.number = 0;
      return true;
    }
  }
  return false;
}

bool Algebra::sift(Terms& terms) const {
  bool changed = false;
  for (auto& t : terms) {
    // A bracket with a δ in it has to be opened for that.
    while (sift_one(t)) changed = true;
  }
  std::erase_if(terms, [](const Term& t) { return t.number == 0; });
  return changed;
}

/// Σ_p a[p]·W[u−p], where W has fewer places than a: Σ_k a[u−k]·W[k].
bool Algebra::shift_one(Term& t) const {
  for (std::size_t s = 0; s < t.sums.size(); ++s) {
    const auto index = t.sums[s].name;
    if (!outside_is_zero(t, index)) continue;
    for (const auto& f : t.factors) {
      if (f.base->kind != Kind::name) continue;
      const auto facts = values_.find(f.base->name);
      if (facts == values_.end()) continue;
      for (std::size_t k = 0; k < f.base->args.size(); ++k) {
        const auto& arg = f.base->args[k];
        if (is_index(*arg)) continue;
        auto l = linear(arg);
        if (!l) continue;
        const auto factor = l->of(index);
        const auto extent = facts->second.axes[k];
        if ((factor != 1 && factor != -1) || extent > space_.range(index).second) continue;
        const auto place = space_.fresh('k', extent);
        // place = factor·index + rest, so index = factor·(place − rest)
        Linear by;
        by.atoms.emplace_back(place, 1);
        Linear rest = *l;
        std::erase_if(rest.atoms, [&](const auto& atom) { return is_index(*atom.first) && atom.first->name == index; });
        by = calculus::difference(by, rest);
        for (auto& [atom, each] : by.atoms) each *= factor;
        by.constant *= factor;
        t.sums[s].name = place->name;
        t.sums[s].range = space_.range(place->name);
        substitute(t, index, calculus::expression(by));
        return true;
      }
    }
  }
  return false;
}

bool Algebra::shift(Terms& terms) const {
  bool changed = false;
  for (auto& t : terms) {
    while (shift_one(t)) changed = true;
  }
  return changed;
}

bool Algebra::sum_up(Terms& terms) const {
  bool changed = false;
  for (auto& t : terms) {
    for (std::size_t s = 0; s < t.sums.size();) {
      const auto& bound = t.sums[s];
      int places = 0;
      std::size_t only = 0;
      for (std::size_t k = 0; k < t.factors.size(); ++k) {
        if (!calculus::mentions(t.factors[k].base, bound.name)) continue;
        ++places;
        only = k;
      }
      const bool in_delta = std::ranges::any_of(t.deltas, [&](const auto& d) {
        return calculus::mentions(d.first, bound.name) || calculus::mentions(d.second, bound.name);
      });
      const auto drop = [&] {
        t.sums.erase(t.sums.begin() + static_cast<std::ptrdiff_t>(s));
        changed = true;
      };
      if (places == 0 && !in_delta) {
        t.number *= static_cast<double>(bound.range->second - bound.range->first + 1);
        drop();
        continue;
      }
      if (places == 1 && !in_delta && t.factors[only].exponent == 1) {
        const auto& base = t.factors[only].base;
        const auto facts = base->kind == Kind::name ? values_.find(base->name) : values_.end();
        if (facts != values_.end() && facts->second.distribution && !base->args.empty() &&
            is_index(*base->args.back()) && base->args.back()->name == bound.name) {
          t.factors.erase(t.factors.begin() + static_cast<std::ptrdiff_t>(only));
          drop();
          continue;
        }
      }
      ++s;
    }
  }
  return changed;
}

Terms Algebra::factored(Terms terms) const {
  if (terms.size() < 2) return terms;
  Term common{.number = 1};
  for (const auto& f : terms[0].factors) {
    double least = f.exponent;
    bool everywhere = true;
    for (const auto& t : terms) {
      const auto same = std::ranges::find_if(t.factors, [&](const Factor& g) { return key(g.base) == key(f.base); });
      const bool bound = std::ranges::any_of(t.sums, [&](const auto& b) { return calculus::mentions(f.base, b.name); });
      everywhere = everywhere && !bound && same != t.factors.end() && same->exponent * f.exponent > 0;
      if (everywhere && std::abs(same->exponent) < std::abs(least)) least = same->exponent;
    }
    if (everywhere) common.factors.push_back({f.base, least});
  }
  const bool scaled =
      std::ranges::all_of(terms, [&](const Term& t) { return std::abs(t.number) == std::abs(terms[0].number); });
  if (common.factors.empty() && !(scaled && std::abs(terms[0].number) != 1)) return terms;
  if (scaled) common.number = std::abs(terms[0].number);
  for (auto& t : terms) {
    for (const auto& f : common.factors) {
      const auto same = std::ranges::find_if(t.factors, [&](const Factor& g) { return key(g.base) == key(f.base); });
      same->exponent -= f.exponent;
      if (same->exponent == 0) t.factors.erase(same);
    }
    if (scaled) t.number = t.number < 0 ? -1 : 1;
  }
  common.factors.push_back({expression(terms)});
  return {common};
}

}  // namespace chalk::calculus
