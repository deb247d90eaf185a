#include "src/derive/terms.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/math/print.h"
#include "src/math/symbols.h"

namespace chalk::calculus {
namespace {

using math::Expr;
using math::ExprPtr;
using math::Kind;
using math::Reduction;

constexpr std::size_t kMostTerms = 9, kWritten = 6;  // of a sum: if there are more, how many are written
constexpr std::size_t kMostLargest = 4;              // of a maximum
constexpr std::int64_t kMostWork = 1 << 21;          // formulas computed for an entry

/// An entry that is not written out.
struct TooMuch : std::exception {};

class Pencil {
 public:
  explicit Pencil(const NumbersOf& numbers) : numbers_(numbers) {}

  std::map<std::string, std::int64_t> at;  // what indices are

  double number(const Expr& e) {
    if (++work_ > kMostWork) throw TooMuch();
    const auto arg = [&](std::size_t k) { return number(*e.args[k]); };
    switch (e.kind) {
      case Kind::number:
        return e.number;
      case Kind::name: {
        const auto index = at.find(e.name);
        if (index != at.end() && e.args.empty()) return static_cast<double>(index->second);
        return value(e, /*derivative=*/false);
      }
      case Kind::derivative:
        if (!of_loss(e)) throw TooMuch();
        return value(*e.args[1], /*derivative=*/true);
      case Kind::negate:
        return -arg(0);
      case Kind::add:
        return arg(0) + arg(1);
      case Kind::subtract:
        return arg(0) - arg(1);
      case Kind::multiply: {
        const double a = arg(0);
        return a == 0 ? 0 : a * arg(1);  // [i = j]·…
      }
      case Kind::divide:
        return arg(0) / arg(1);
      case Kind::power:
        return std::pow(arg(0), arg(1));
      case Kind::call:
        return math::apply_builtin(e.name, arg(0));
      case Kind::delta:
        return arg(0) == arg(1) ? 1 : 0;
      case Kind::compare:
        return math::holds(e.comparison, arg(0), arg(1)) ? 1 : 0;
      case Kind::reduce:
        return reduced(e);
      default:
        throw TooMuch();
    }
  }

  /// The formula with numbers for the indices, and the outer sums written out; `digits`: values as numbers, too.
  ExprPtr written(const ExprPtr& e, bool digits) {
    switch (e->kind) {
      case Kind::number:
        return e;
      case Kind::name: {
        const auto index = at.find(e->name);
        if (index != at.end() && e->args.empty()) return math::number(static_cast<double>(index->second));
        return digits ? math::number(rounded(number(*e))) : with_indices(e);
      }
      case Kind::derivative:
        if (digits) return math::number(rounded(number(*e)));
        return math::like(*e, {e->args[0], with_indices(e->args[1])});
      case Kind::reduce: {
        if (e->bounds.empty()) break;
        if (within_ && digits) return math::number(rounded(number(*e)));
        if (within_) break;
        within_ = true;
        auto terms = written_out(e, digits);
        within_ = false;
        return terms;
      }
      default:
        break;
    }
    std::vector<ExprPtr> args;
    for (const auto& arg : e->args) args.push_back(written(arg, digits));
    return math::like(*e, std::move(args));
  }

  std::size_t left_out() const { return left_out_; }

 private:
  static bool of_loss(const Expr& e) { return !e.indexed && e.args[0]->args.empty() && e.args[1]->kind == Kind::name; }

  /// 0 where an index is outside of its axis.
  double value(const Expr& e, bool derivative) {
    const auto filled = numbers_(e.name, derivative);
    if (!filled || filled->axes.size() != e.args.size()) throw TooMuch();
    std::int64_t place = 0;
    for (std::size_t k = 0; k < e.args.size(); ++k) {
      const double index = number(*e.args[k]);
      if (index < 0 || index >= static_cast<double>(filled->axes[k]) || index != std::floor(index)) return 0;
      place = place * filled->axes[k] + static_cast<std::int64_t>(index);
    }
    return (*filled->numbers)[static_cast<std::size_t>(place)];
  }

  ExprPtr with_indices(const ExprPtr& e) {
    if (e->args.empty()) return e;
    std::vector<ExprPtr> args;
    for (const auto& arg : e->args)
      args.push_back(is_known(*arg) ? math::number(number(*arg)) : written(arg, /*digits=*/false));
    return math::like(*e, std::move(args));
  }
  /// Whether all of its indices are numbers.
  bool is_known(const Expr& e) const {
    if (e.kind == Kind::name) return at.contains(e.name);
    return std::ranges::all_of(e.args, [&](const auto& arg) { return is_known(*arg); });
  }

  /// Calls f with the indices of the bounds set, one combination after the other.
  template <class F>
  void each(const Expr& e, F f) {
    const auto before = at;
    for (const auto& bound : e.bounds) at[bound.name] = bound.range->first;
    for (;;) {
      f();
      auto k = e.bounds.size();
      for (;;) {
        if (k-- == 0) {
          at = before;
          return;
        }
        auto& index = at[e.bounds[k].name];
        if (++index <= e.bounds[k].range->second) break;
        index = e.bounds[k].range->first;
      }
    }
  }

  double reduced(const Expr& e) {
    std::vector<double> all;
    if (e.bounds.empty()) {
      for (const auto& arg : e.args) all.push_back(number(*arg));
    } else {
      each(e, [&] { all.push_back(number(*e.args[0])); });
    }
    switch (e.reduction) {
      case Reduction::sum:
        return std::accumulate(all.begin(), all.end(), 0.0);
      case Reduction::product:
        return std::accumulate(all.begin(), all.end(), 1.0, std::multiplies<>());
      case Reduction::maximum:
        return *std::ranges::max_element(all);
      case Reduction::minimum:
        return *std::ranges::min_element(all);
      case Reduction::argmax:
        break;
    }
    return static_cast<double>(std::ranges::max_element(all) - all.begin());
  }

  ExprPtr written_out(const ExprPtr& e, bool digits) {
    std::vector<std::map<std::string, std::int64_t>> places;
    std::vector<double> terms;
    const bool sum = e->reduction == Reduction::sum;
    each(*e, [&] {
      const double term = number(*e->args[0]);
      if (sum && term == 0) return;
      terms.push_back(term);
      places.push_back(at);
    });
    if (!sum) {
      const bool few = terms.size() <= kMostLargest && e->reduction != Reduction::argmax;
      if (!few) return digits ? math::number(rounded(number(*e))) : written(e, /*digits=*/false);
      Expr all = *e;
      all.bounds.clear();
      all.args.clear();
      for (const auto& place : places) all.args.push_back(term_at(e, place, digits));
      return math::node(std::move(all));
    }
    const auto count = terms.size() > kMostTerms ? kWritten : terms.size();
    ExprPtr all;
    for (std::size_t k = 0; k < count; ++k) {
      const auto term = term_at(e, places[k], digits);
      all = all ? math::make(Kind::add, {}, {all, term}) : term;
    }
    if (!all) return math::number(0);
    if (count == terms.size()) return all;
    left_out_ += terms.size() - count;
    Expr rest;
    rest.kind = Kind::name;
    rest.name = "...";
    auto others = math::node(std::move(rest));
    if (digits) {
      others =
          math::number(rounded(std::accumulate(terms.begin() + static_cast<std::ptrdiff_t>(count), terms.end(), 0.0)));
    }
    return math::make(Kind::add, {}, {all, others});
  }
  ExprPtr term_at(const ExprPtr& e, const std::map<std::string, std::int64_t>& place, bool digits) {
    const auto before = std::exchange(at, place);
    auto term = written(e->args[0], digits);
    at = before;
    return term;
  }

  const NumbersOf& numbers_;
  std::int64_t work_ = 0;
  std::size_t left_out_ = 0;
  bool within_ = false;  // a sum is being written out: sums within it stay as they are, or are numbers
};

/// index · factor of each digit of 2·p + i, the largest factor first; nothing if it is something else.
std::optional<std::vector<std::pair<std::string, std::int64_t>>> digits_of(const Expr& e) {
  using Digits = std::vector<std::pair<std::string, std::int64_t>>;
  if (e.kind == Kind::name && e.args.empty()) return Digits{{e.name, 1}};
  if (e.kind == Kind::multiply && e.args[0]->kind == Kind::number && e.args[1]->kind == Kind::name)
    return Digits{{e.args[1]->name, static_cast<std::int64_t>(e.args[0]->number)}};
  if (e.kind != Kind::add) return std::nullopt;
  auto a = digits_of(*e.args[0]), b = digits_of(*e.args[1]);
  if (!a || !b) return std::nullopt;
  a->insert(a->end(), b->begin(), b->end());
  std::ranges::sort(*a, [](const auto& x, const auto& y) { return x.second > y.second; });
  return a;
}

/// What the indices of the value are at that place; false if they cannot be that.
bool indices_at(const Expr& value, const Shape& axes, std::size_t place, std::map<std::string, std::int64_t>& at) {
  auto rest = static_cast<std::int64_t>(place);
  for (auto k = axes.size(); k-- > 0; rest /= axes[k]) {
    auto index = rest % axes[k];
    const auto digits = digits_of(*value.args[k]);
    if (!digits) return false;
    for (const auto& [name, factor] : *digits) {
      at[name] = index / factor;
      index %= factor;
    }
    if (index != 0) return false;
  }
  return true;
}

}  // namespace

double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int power = 3 - static_cast<int>(std::floor(std::log10(std::abs(x))));
  const double scale = std::pow(10.0, std::abs(power));
  return power >= 0 ? std::round(x * scale) / scale : std::round(x / scale) * scale;
}

std::optional<DerivedEntry> entry_of(const DerivedChain& chain, const NumbersOf& numbers) {
  const ExprPtr left = chain.left.tree(), right = chain.steps.back().formula.tree();
  const bool derivative = left->kind == Kind::derivative;
  const Expr& value = derivative ? *left->args[1] : *left;
  const auto filled = numbers(value.name, derivative);
  if (!filled || filled->axes.size() != value.args.size()) return std::nullopt;
  Pencil pencil(numbers);
  double most = -1;
  for (std::size_t place = 0; place < filled->numbers->size(); ++place) {
    std::map<std::string, std::int64_t> at;
    const double size = std::abs((*filled->numbers)[place]);
    if (!(size > most) || !indices_at(value, filled->axes, place, at)) continue;
    most = size;
    pencil.at = at;
  }
  if (most < 0) return std::nullopt;
  try {
    const double found = pencil.number(*right), wanted = pencil.number(*left);
    constexpr double kTolerance = 1e-7;
    if (!(std::abs(found - wanted) <= kTolerance * std::max(1.0, std::abs(wanted)))) {
      throw Error(str("computed term by term, ", chain.left.text(), " is ", found,
                      " for this sample, but the network has ", wanted, "; please report it with the network"));
    }
    DerivedEntry entry{
        .left = DerivedFormula(pencil.written(left, false)), .named = {}, .numbers = {}, .value = wanted};
    entry.named = DerivedFormula(pencil.written(right, false));
    entry.left_out = pencil.left_out();
    entry.numbers = DerivedFormula(pencil.written(right, true));
    return entry;
  } catch (const TooMuch&) {
    return std::nullopt;
  }
}

}  // namespace chalk::calculus
