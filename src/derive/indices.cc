#include "src/derive/indices.h"

#include <algorithm>
#include <cmath>

#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk::calculus {

using math::make;
using math::node;
using math::number;

ExprPtr IndexSpace::fresh(char letter, Extent range) {
  Expr e;
  e.kind = Kind::name;
  e.name = str(letter, "#", ++count_);
  ranges_[e.name] = range;
  return node(std::move(e));
}

ExprPtr IndexSpace::over(math::Reduction reduction, const std::vector<ExprPtr>& indices, const ExprPtr& body) const {
  if (indices.empty()) return body;
  std::vector<math::Bound> bounds;
  for (const auto& index : indices) bounds.push_back({.name = index->name, .range = range(index->name)});
  return math::over(reduction, std::move(bounds), body);
}

bool is_index(const Expr& e) { return e.kind == Kind::name && e.name.find('#') != std::string::npos; }

bool mentions(const ExprPtr& e, const std::string& index) {
  if (e->kind == Kind::name && e->name == index) return true;
  if (std::ranges::any_of(e->bounds, [&](const auto& bound) { return bound.name == index; })) return false;
  return std::ranges::any_of(e->args, [&](const auto& arg) { return mentions(arg, index); });
}

namespace {

ExprPtr replaced_within(const ExprPtr& e, const std::map<std::string, ExprPtr>& by);

}  // namespace

ExprPtr replaced(const ExprPtr& e, const std::map<std::string, ExprPtr>& by) {
  if (is_index(*e)) {
    const auto found = by.find(e->name);
    return found == by.end() ? e : found->second;
  }
  if (e->args.empty()) return e;
  for (const auto& bound : e->bounds) {
    if (!by.contains(bound.name)) continue;
    auto others = by;
    for (const auto& each : e->bounds) others.erase(each.name);
    return replaced_within(e, others);
  }
  return replaced_within(e, by);
}

namespace {

ExprPtr replaced_within(const ExprPtr& e, const std::map<std::string, ExprPtr>& by) {
  std::vector<ExprPtr> args;
  bool same = true;
  for (const auto& arg : e->args) {
    args.push_back(replaced(arg, by));
    same = same && args.back() == arg;
  }
  return same ? e : math::like(*e, std::move(args));
}

}  // namespace

std::int64_t Linear::of(const std::string& index) const {
  for (const auto& [atom, factor] : atoms) {
    if (is_index(*atom) && atom->name == index) return factor;
  }
  return 0;
}

namespace {

void add(Linear& to, const ExprPtr& atom, std::int64_t factor) {
  const auto same = std::ranges::find_if(to.atoms, [&](const auto& each) { return key(each.first) == key(atom); });
  if (same == to.atoms.end()) {
    to.atoms.emplace_back(atom, factor);
    return;
  }
  same->second += factor;
  if (same->second == 0) to.atoms.erase(same);
}

void add(Linear& to, const Linear& other, std::int64_t factor) {
  for (const auto& [atom, each] : other.atoms) add(to, atom, each * factor);
  to.constant += other.constant * factor;
}

bool is_floor(const Expr& e) { return e.kind == Kind::call && e.name == "floor"; }

}  // namespace

std::optional<Linear> linear(const ExprPtr& e) {
  Linear l;
  switch (e->kind) {
    case Kind::number:
      if (e->number != std::floor(e->number)) return std::nullopt;
      l.constant = static_cast<std::int64_t>(e->number);
      return l;
    case Kind::add:
    case Kind::subtract: {
      const auto a = linear(e->args[0]), b = linear(e->args[1]);
      if (!a || !b) return std::nullopt;
      add(l, *a, 1);
      add(l, *b, e->kind == Kind::add ? 1 : -1);
      return l;
    }
    case Kind::negate: {
      const auto a = linear(e->args[0]);
      if (a) add(l, *a, -1);
      return a ? std::optional(l) : std::nullopt;
    }
    case Kind::multiply: {
      auto a = linear(e->args[0]), b = linear(e->args[1]);
      if (!a || !b) return std::nullopt;
      if (!a->atoms.empty()) std::swap(a, b);
      if (!a->atoms.empty()) return std::nullopt;
      add(l, *b, a->constant);
      if (a->constant == 0) l.atoms.clear();
      return l;
    }
    default:
      if (!is_index(*e) && !is_floor(*e)) return std::nullopt;
      l.atoms.emplace_back(e, 1);
      return l;
  }
}

ExprPtr expression(const Linear& l) {
  ExprPtr e;
  for (const bool positive : {true, false}) {
    if (!positive && l.constant > 0)
      e = e ? make(Kind::add, {}, {e, number(static_cast<double>(l.constant))})
            : number(static_cast<double>(l.constant));
    for (const auto& [atom, factor] : l.atoms) {
      if ((factor > 0) != positive) continue;
      const auto size = std::abs(factor);
      auto term = size == 1 ? atom : make(Kind::multiply, {}, {number(static_cast<double>(size)), atom});
      e = positive ? (e ? make(Kind::add, {}, {e, term}) : term)
                   : (e ? make(Kind::subtract, {}, {e, term}) : make(Kind::negate, {}, {term}));
    }
  }
  if (!e) return number(static_cast<double>(l.constant));
  if (l.constant < 0) e = make(Kind::subtract, {}, {e, number(static_cast<double>(-l.constant))});
  return e;
}

Linear difference(const Linear& a, const Linear& b) {
  Linear d = a;
  add(d, b, -1);
  return d;
}

std::optional<Extent> IndexSpace::between(const ExprPtr& e) const {
  if (is_index(*e)) return range(e->name);
  if (is_floor(*e)) {
    const auto& inside = *e->args[0];
    if (inside.kind != Kind::divide || inside.args[1]->kind != Kind::number) return std::nullopt;
    const auto inner = between(inside.args[0]);
    if (!inner) return inner;
    const double n = inside.args[1]->number;
    return Extent{static_cast<std::int64_t>(std::floor(static_cast<double>(inner->first) / n)),
                  static_cast<std::int64_t>(std::floor(static_cast<double>(inner->second) / n))};
  }
  const auto l = linear(e);
  if (!l) return std::nullopt;
  Extent all{l->constant, l->constant};
  for (const auto& [atom, factor] : l->atoms) {
    const auto each = between(atom);
    if (!each) return each;
    all.first += factor * (factor > 0 ? each->first : each->second);
    all.second += factor * (factor > 0 ? each->second : each->first);
  }
  return all;
}

ExprPtr floor_of(const ExprPtr& e, std::int64_t n, const IndexSpace& space) {
  const auto l = linear(e);
  if (n == 1) return e;
  if (l) {  // n·a + r with 0 ≤ r < n
    Linear whole, rest;
    for (const auto& [atom, factor] : l->atoms) {
      if (factor % n == 0) {
        whole.atoms.emplace_back(atom, factor / n);
      } else {
        rest.atoms.emplace_back(atom, factor);
      }
    }
    whole.constant = l->constant >= 0 ? l->constant / n : 0;
    rest.constant = l->constant - whole.constant * n;
    const auto r = space.between(expression(rest));
    if (r && r->first >= 0 && r->second < n) return expression(whole);
  }
  return math::call_of("floor", make(Kind::divide, {}, {e, number(static_cast<double>(n))}), {});
}

ExprPtr simple_index(const ExprPtr& e, const IndexSpace& space) {
  if (e->kind == Kind::number || is_index(*e)) return e;
  if (is_floor(*e)) {
    const auto& inside = *e->args[0];
    if (inside.kind == Kind::divide && inside.args[1]->kind == Kind::number)
      return floor_of(simple_index(inside.args[0], space), static_cast<std::int64_t>(inside.args[1]->number), space);
    return e;
  }
  std::vector<ExprPtr> args;
  for (const auto& arg : e->args) args.push_back(simple_index(arg, space));
  const auto built = math::like(*e, std::move(args));
  const auto l = linear(built);
  return l ? expression(*l) : built;
}

std::optional<std::vector<std::pair<ExprPtr, std::int64_t>>> digits(const ExprPtr& e, const IndexSpace& space) {
  const auto l = linear(e);
  if (!l || l->constant != 0 || l->atoms.empty()) return std::nullopt;
  auto atoms = l->atoms;
  std::ranges::sort(atoms, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::int64_t reach = 0;  // the largest number that those after it make
  for (auto at = atoms.rbegin(); at != atoms.rend(); ++at) {
    if (!is_index(*at->first)) return std::nullopt;
    const auto& range = space.range(at->first->name);
    if (at->second <= reach || range.first != 0) return std::nullopt;
    reach += at->second * range.second;
  }
  return atoms;
}

namespace {

void write(const ExprPtr& e, std::vector<std::string>& bound, std::string& out) {
  switch (e->kind) {
    case Kind::number:
      out += shortest(e->number);
      return;
    case Kind::name: {
      const auto found = std::find(bound.rbegin(), bound.rend(), e->name);
      if (e->args.empty() && found != bound.rend()) {
        out += str("$", found - bound.rbegin());
        return;
      }
      break;
    }
    default:
      break;
  }
  out += str("(", static_cast<int>(e->kind), e->name, std::string(static_cast<std::size_t>(e->primes), '\''),
             static_cast<int>(e->reduction), static_cast<int>(e->comparison));
  const auto before = bound.size();
  for (const auto& b : e->bounds) {
    bound.push_back(b.name);
    if (b.range) out += str("{", b.range->first, "..", b.range->second, "}");
  }
  for (const auto& arg : e->args) write(arg, bound, out);
  bound.resize(before);
  out += ')';
}

}  // namespace

std::string key(const ExprPtr& e) {
  std::string out;
  std::vector<std::string> bound;
  write(e, bound, out);
  return out;
}

}  // namespace chalk::calculus
