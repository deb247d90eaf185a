#include "src/math/edits.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "src/base/text.h"
#include "src/math/elaborate.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/judge.h"
#include "src/math/print.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kWorkOfTry = 3000;  // what reading an equation costs, and each of its operations
constexpr std::int64_t kWorkOfNode = 300;
constexpr std::size_t kMostTuples = 24;  // indices that one value is tried with
constexpr std::size_t kMostAtoms = 60;

/// A part of a formula and the indices of the sums around it.
struct Spot {
  ExprPtr e;
  std::vector<std::string> bound;
  bool term = false;   // not itself a factor of a product
  ExprPtr holder{};    // the value, delta or function whose index it is, or is part of
  bool fixed = false;  // a value has to stand there: of a derivative, or of at(…)
};

bool has_indices(const Expr& e) {
  return (e.kind == Kind::name && e.indexed) || e.kind == Kind::delta || e.kind == Kind::compare ||
         e.kind == Kind::element;
}

void collect(const ExprPtr& e, std::vector<std::string> bound, bool term, std::vector<Spot>& spots,
             const ExprPtr& holder = {}, bool fixed = false) {
  spots.push_back({e, bound, term && !fixed, holder, fixed});
  if (e->kind == Kind::reduce) {
    for (const auto& each : e->bounds) bound.push_back(each.name);
  }
  const bool product = e->kind == Kind::multiply || e->kind == Kind::divide;
  for (std::size_t k = 0; k < e->args.size(); ++k) {
    const bool factor = product && (k == 0 || e->kind == Kind::multiply);
    const bool index = has_indices(*e) || (e->kind == Kind::call && e->args.size() > 1 && k == 0);
    const bool value = (e->kind == Kind::derivative && (k == 1 || !e->indexed)) || (e->kind == Kind::at && k % 2 == 1);
    collect(e->args[k], bound, !factor, spots, index ? e : holder, value);
  }
}

std::size_t size_of(const Expr& e) {
  std::size_t size = 1;
  for (const auto& arg : e.args) size += size_of(*arg);
  return size;
}

ExprPtr replaced(const ExprPtr& e, const Expr* what, const ExprPtr& by) {
  if (e.get() == what) return by;
  for (std::size_t k = 0; k < e->args.size(); ++k) {
    const auto arg = replaced(e->args[k], what, by);
    if (arg == e->args[k]) continue;
    auto args = e->args;
    args[k] = arg;
    return like(*e, std::move(args));
  }
  return e;
}

bool is_plain(const Expr& e) { return e.kind == Kind::name && !e.indexed && e.primes == 0; }

class EditSearch {
 public:
  EditSearch(Part& part, const FalseEquation& equation, std::uint64_t seed, int trials, std::int64_t& work)
      : part_(part), equation_(equation), seed_(seed), trials_(trials), work_(work) {
    for (const auto* side : {&equation.left, &equation.right}) {
      std::vector<Spot> spots;
      collect(*side, {}, true, spots);
      for (const auto& spot : spots) learn(*spot.e);
    }
    for (const auto& other : equation.others) {
      std::vector<Spot> spots;
      collect(other, {}, true, spots);
      for (const auto& spot : spots) learn(*spot.e);
    }
    for (const auto& bound : equation.ranges) extents_[bound.name] = bound.range->second - bound.range->first + 1;
  }

  std::string run() {
    sides_.emplace_back(equation_.right, false);
    if (!equation_.left_is_given) sides_.emplace_back(equation_.left, true);
    // The simplest first, on either side.
    const std::vector<void (EditSearch::*)()> kinds{
        &EditSearch::signs,        &EditSearch::indices, &EditSearch::primes,
        &EditSearch::transposes,   &EditSearch::sums,    &EditSearch::names,
        &EditSearch::factors_less, &EditSearch::numbers, &EditSearch::factors_more};
    for (const auto& [side, is_left] : sides_) {
      spots_.emplace_back();
      collect(side, {}, true, spots_.back());
    }
    for (const auto kind : kinds) {
      for (side_ = 0; side_ < sides_.size(); ++side_) {
        (this->*kind)();
        if (!found_.empty()) return "true " + found_;
        if (work_ <= 0) return {};
      }
    }
    return {};
  }

 private:
  using Words = std::function<std::string()>;

  const ExprPtr& root() const { return sides_[side_].first; }
  const std::vector<Spot>& spots() const { return spots_[side_]; }

  // ---- what is known ----

  void learn(const Expr& e) {
    if (e.kind == Kind::derivative) {
      for (const auto& arg : e.args) {
        if (arg->kind == Kind::name && part_.symbols.find_value(arg->name, arg->primes) >= 0)
          differentials_.emplace(to_text(*arg), arg);
      }
    }
    if (e.kind == Kind::call && e.args.size() == 1 && e.name != kNormFunction) functions_.insert(e.name);
    const bool factor = (e.kind == Kind::name && e.indexed) || e.kind == Kind::derivative || e.kind == Kind::call ||
                        e.kind == Kind::delta || e.kind == Kind::reduce;
    if (factor && atoms_.size() < kMostAtoms) atoms_.emplace(to_text(e), like(e, e.args));
    if (e.kind != Kind::name || !e.indexed) return;
    const int id = part_.symbols.find_value(e.name, e.primes);
    if (id < 0) return;
    const auto& extents = part_.symbols[id].extents;
    for (std::size_t k = 0; k < std::min(extents.size(), e.args.size()); ++k) {
      if (is_plain(*e.args[k])) extents_.emplace(e.args[k]->name, extents[k]);
    }
  }

  // ---- trying ----

  /// Whether the equation is true with `by` in place of `what` on this side. Then `words` are what is offered.
  bool attempt(const ExprPtr& what, const ExprPtr& by, const Words& words) {
    if (!found_.empty() || work_ <= 0) return true;
    const auto changed = replaced(root(), what.get(), by);
    auto left = equation_.left, right = equation_.right;
    (sides_[side_].second ? left : right) = changed;
    work_ -= kWorkOfTry + kWorkOfNode * static_cast<std::int64_t>(size_of(*left) + size_of(*right));
    const auto mark = part_.indices.mark();
    bool good = false;
    try {
      good = holds(left, right, true) && holds(left, right, false);
    } catch (const FormulaError&) {
      good = false;  // it cannot be read
    }
    part_.indices.forget(mark);
    if (good) found_ = words();
    return good;
  }
  bool attempt(const ExprPtr& what, const ExprPtr& by) {
    return attempt(what, by, [&] { return str("with ", to_text(*by), " in place of ", to_text(*what)); });
  }

  /// As every equation is judged; `quickly`: at one draw, which shows most of what is wrong.
  bool holds(const ExprPtr& left, const ExprPtr& right, bool quickly) {
    part_.indices.begin_statement();
    Elaborator elaborator(part_.symbols, part_.indices);
    apply(equation_.ranges, elaborator, part_.indices);
    const auto a = elaborator.run(left);
    const auto b = elaborator.aligned(a, elaborator.run(right), right->place);
    elaborator.settle();
    Judge judge(part_, seed_, trials_);
    if (quickly && !equation_.approximate) {
      auto& draw = part_.trial(seed_, 0, kSmall);  // nothing is spent of it yet
      const auto pay = [&] { work_ -= draw.spent(); };
      try {
        const bool same = judge.same(a, b, draw);
        pay();
        return same;
      } catch (const FormulaError&) {  // what takes too long costs as much
        pay();
        throw;
      }
    }
    const auto outcome = judge.compare(a, b, equation_.approximate);
    work_ -= 10 * kWorkOfTry;
    return outcome.equal && !outcome.all_zero && outcome.exception.empty();
  }

  // ---- kinds of edits ----

  void signs() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::add || e->kind == Kind::subtract) {
        const bool plus = e->kind == Kind::add;
        attempt(e, make(plus ? Kind::subtract : Kind::add, e->place, e->args), [&] {
          return str("with ", plus ? "-" : "+", " in place of ", plus ? "+" : "-", " before ", to_text(*e->args[1]));
        });
      }
      if (e->kind == Kind::negate)
        attempt(e, e->args[0], [&] { return str("without the - before ", to_text(*e->args[0])); });
      const bool signed_one = e->kind == Kind::multiply || e->kind == Kind::divide || e->kind == Kind::name ||
                              e->kind == Kind::reduce || e->kind == Kind::number;
      const bool may = e == root() || (spot.term && signed_one);
      if (may && e->kind != Kind::negate)
        attempt(e, make(Kind::negate, e->place, {e}), [&] {
          return e == root() ? std::string("with the opposite sign") : str("with - before ", to_text(*e));
        });
    }
  }

  void indices() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      const bool has = (e->kind == Kind::name && e->indexed) || e->kind == Kind::delta || e->kind == Kind::element ||
                       e->kind == Kind::call;
      if (!has) continue;
      // Two change places.
      for (std::size_t a = 0; a < e->args.size(); ++a) {
        for (std::size_t b = a + 1; b < e->args.size(); ++b) {
          auto args = e->args;
          std::swap(args[a], args[b]);
          if (e->kind == Kind::name && e->args.size() > 1) attempt(e, like(*e, std::move(args)));
        }
      }
    }
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (!is_plain(*e) || extents_.count(e->name) == 0) continue;
      const auto& holder = spot.holder;
      if (!holder) continue;
      for (const auto& [letter, extent] : extents_) {
        if (letter == e->name) continue;
        const auto other = named(letter, e->place);
        attempt(e, other, [&] {
          return str("with ", to_text(*replaced(holder, e.get(), other)), " in place of ", to_text(*holder));
        });
      }
    }
  }

  void primes() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      const bool name = e->kind == Kind::name && part_.symbols.find_value(e->name, e->primes + 1) >= 0;
      if (spot.fixed || (e->kind != Kind::call && !name && !(e->kind == Kind::name && e->primes > 0))) continue;
      if (e->kind == Kind::call && (e->name == kNormFunction || e->name == "softmax")) continue;
      for (const int step : {1, -1}) {
        if (e->primes + step < 0 || e->primes + step > 3) continue;
        Expr other = *e;
        other.primes += step;
        attempt(e, node(std::move(other)));
      }
    }
  }

  void transposes() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::transpose) attempt(e, e->args[0]);
      if (!spot.fixed && e->kind == Kind::name && !e->indexed && part_.symbols.find_value(e->name, e->primes) >= 0)
        attempt(e, make(Kind::transpose, e->place, {e}));
    }
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::matmul) {
        attempt(e, make(Kind::matmul, e->place, {e->args[1], e->args[0]}));
        attempt(e, make(Kind::hadamard, e->place, e->args));
      }
      if (e->kind == Kind::hadamard) attempt(e, make(Kind::matmul, e->place, e->args));
    }
  }

  void sums() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::reduce && !e->bounds.empty()) {
        attempt(e, e->args[0], [&] { return str("without the sum over ", e->bounds[0].name, " in ", to_text(*e)); });
        if (e->bounds.size() > 1) {
          for (std::size_t k = 0; k < e->bounds.size(); ++k) {
            Expr other = *e;
            other.bounds.erase(other.bounds.begin() + static_cast<std::ptrdiff_t>(k));
            attempt(e, node(std::move(other)), [&] { return str("without the sum over ", e->bounds[k].name); });
          }
        }
      }
      if (!spot.term || e->kind == Kind::number || is_plain(*e)) continue;
      for (const auto& [letter, extent] : extents_) {
        if (std::ranges::find(spot.bound, letter) != spot.bound.end()) continue;
        Expr sum;
        sum.kind = Kind::reduce;
        sum.place = e->place;
        sum.bounds = {Bound{.name = letter, .place = e->place}};
        sum.args = {e};
        attempt(e, node(std::move(sum)), [&] { return str("with a sum over ", letter, " around ", to_text(*e)); });
      }
    }
  }

  /// Another value of the same shape.
  void names() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind != Kind::name) continue;
      const int id = part_.symbols.find_value(e->name, e->primes);
      if (id < 0) continue;
      for (int other = 0; other < part_.symbols.size(); ++other) {
        const auto& symbol = part_.symbols[other];
        if (other == id || !symbol.is_value() || symbol.extents.size() != part_.symbols[id].extents.size()) continue;
        Expr changed = *e;
        named_as(changed, symbol.name);
        attempt(e, node(std::move(changed)));
      }
    }
  }

  void factors_less() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::multiply || e->kind == Kind::hadamard) {
        for (const std::size_t k : {std::size_t{1}, std::size_t{0}})
          attempt(e, e->args[1 - k], [&] { return str("without the factor ", to_text(*e->args[k])); });
      }
      if (e->kind == Kind::divide)
        attempt(e, e->args[0], [&] { return str("without the division by ", to_text(*e->args[1])); });
      if (e->kind == Kind::power) attempt(e, e->args[0]);
    }
  }

  void numbers() {
    for (const auto& spot : spots()) {
      const auto& e = spot.e;
      if (e->kind == Kind::number) {
        for (const double other : {0.0, 1.0, 2.0, 3.0, 4.0, e->number + 1, e->number - 1}) {
          if (other != e->number && other >= 0) attempt(e, number(other, e->place));
        }
      }
      if (!spot.term || is_plain(*e)) continue;
      for (const double factor : {2.0, 3.0, 4.0}) {
        attempt(e, make(Kind::multiply, e->place, {number(factor, e->place), e}),
                [&] { return str("with the factor ", factor, " before ", to_text(*e)); });
        attempt(e, make(Kind::divide, e->place, {e, number(factor, e->place)}),
                [&] { return str("with ", to_text(*e), " divided by ", factor); });
      }
      attempt(e, make(Kind::power, e->place, {e, number(2, e->place)}));
    }
  }

  void factors_more() {
    for (const auto& spot : spots()) {
      if (!spot.term || is_plain(*spot.e) || spot.holder) continue;
      for (const auto& factor : candidates(spot)) {
        if (attempt(spot.e, make(Kind::multiply, spot.e->place, {spot.e, factor}),
                    [&] { return str("with the factor ", to_text(*factor), " behind ", to_text(*spot.e)); }))
          return;
      }
    }
  }

  /// Factors that may be missing there.
  std::vector<ExprPtr> candidates(const Spot& spot) const {
    std::vector<ExprPtr> found;
    std::set<std::string> texts;
    const auto add = [&](const ExprPtr& e) {
      if (texts.insert(to_text(*e)).second) found.push_back(e);
    };
    for (const auto& [text, atom] : atoms_) add(atom);
    std::vector<ExprPtr> values;
    for (int id = 0; id < part_.symbols.size(); ++id) {
      if (!part_.symbols[id].is_value()) continue;
      for (auto& value : with_indices(id)) values.push_back(std::move(value));
    }
    for (const auto& value : values) add(value);
    for (const auto& [a, above] : differentials_) {
      for (const auto& [b, below] : differentials_) {
        if (a != b) add(derivative(above, below));
      }
    }
    for (const auto& [a, ea] : extents_) {
      for (const auto& [b, eb] : extents_) {
        if (a < b && ea == eb)
          add(make(Kind::delta, spot.e->place, {named(a, spot.e->place), named(b, spot.e->place)}));
      }
    }
    auto functions = functions_;
    for (int id = 0; id < part_.symbols.size(); ++id) {
      if (part_.symbols[id].kind == Symbol::Kind::function) functions.insert(part_.symbols[id].name);
    }
    for (const auto& value : values) {
      for (const auto& function : functions) {
        for (const int primes : {0, 1}) {
          if (function == "softmax" && primes > 0) continue;
          auto call = Expr(*call_of(function, value, spot.e->place));
          call.primes = primes;
          add(node(std::move(call)));
        }
      }
      add(difference(number(1, spot.e->place), value));
    }
    return found;
  }

  /// The value with indices whose ranges fit.
  std::vector<ExprPtr> with_indices(int id) const {
    const auto& symbol = part_.symbols[id];
    Expr bare;
    bare.kind = Kind::name;
    named_as(bare, symbol.name);
    if (symbol.extents.empty()) return {node(std::move(bare))};
    bare.indexed = true;
    std::vector<std::vector<ExprPtr>> tuples{{}};
    for (const auto extent : symbol.extents) {
      std::vector<std::vector<ExprPtr>> longer;
      for (const auto& tuple : tuples) {
        for (const auto& [letter, of] : extents_) {
          if (of != extent || longer.size() >= kMostTuples) continue;
          longer.push_back(tuple);
          longer.back().push_back(named(letter, {}));
        }
      }
      tuples = std::move(longer);
    }
    std::vector<ExprPtr> found;
    for (auto& tuple : tuples) found.push_back(like(bare, std::move(tuple)));
    return found;
  }

  static ExprPtr named(const std::string& name, Place place) {
    Expr e;
    e.kind = Kind::name;
    e.place = place;
    e.name = name;
    return node(std::move(e));
  }
  static void named_as(Expr& e, const std::string& name) {
    const auto end = std::min(name.find('\''), name.size());
    e.name = name.substr(0, end);
    e.primes = static_cast<int>(name.size() - end);
  }
  static ExprPtr derivative(const ExprPtr& above, const ExprPtr& below) {
    return make(Kind::derivative, above->place, {above, below});
  }

  Part& part_;
  const FalseEquation& equation_;
  std::uint64_t seed_;
  int trials_;
  std::int64_t& work_;
  std::vector<std::pair<ExprPtr, bool>> sides_;  // and whether it is the left one
  std::vector<std::vector<Spot>> spots_;
  std::size_t side_ = 0;
  std::map<std::string, ExprPtr> atoms_, differentials_;
  std::map<std::string, std::int64_t> extents_;  // of indices, by name
  std::set<std::string> functions_;
  std::string found_;
};

}  // namespace

std::string offered_edit(Part& part, const FalseEquation& equation, std::uint64_t seed, int trials,
                         std::int64_t& work) {
  return EditSearch(part, equation, seed, trials, work).run();
}

}  // namespace chalk::math
