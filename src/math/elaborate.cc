// The walk over a formula, its names and its indices.
#include "src/math/elaborate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/evaluate.h"
#include "src/math/print.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostOnes = 1 << 20;

/// For formulas without any.
class NoValues : public Values {
  const std::vector<double>& value(int, Place) override { throw std::logic_error("a constant without values"); }
  const std::vector<double>& jacobian(int, int, Place place) override { return value(0, place); }
  const std::vector<double>& hessian(int, int, int, Place place) override { return value(0, place); }
  std::unique_ptr<Values> with(const std::vector<std::pair<int, std::vector<double>>>&) override { return nullptr; }
};

}  // namespace

ExprPtr Elaborator::index(int id, Place place) const {
  Expr e;
  e.kind = Kind::index;
  e.place = place;
  e.name = indices_[id].name;
  e.id = id;
  return node(std::move(e));
}

int Elaborator::lookup(const std::string& name) const {
  for (auto i = bound_.rbegin(); i != bound_.rend(); ++i) {
    if (i->first == name) return i->second;
  }
  const auto found = free_.find(name);
  return found == free_.end() ? -1 : found->second;
}

int Elaborator::free_index(const std::string& name, Place place) {
  const int known = lookup(name);
  if (known >= 0) return known;
  const int id = indices_.add({.name = name, .place = place});
  free_.emplace(name, id);
  all_.push_back(id);
  return id;
}

void Elaborator::unify(int id, std::int64_t first, std::int64_t last, Place place) {
  Index& known = indices_[id];
  if (!known.range) {
    known.range = {first, last};
    known.place = place;
    return;
  }
  const auto [from, to] = *known.range;
  if (known.written ? from >= first && to <= last : from == first && to == last) return;
  throw MisfitError(place, str("the index ", known.name, " runs from ", first, " to ", last, " here, but from ",
                               known.range->first, " to ", known.range->second, " at ",
                               known.place.line == place.line ? "" : str("line ", known.place.line, ", "), "character ",
                               known.place.column, "; use another index, or give its range"));
}

void Elaborator::settle() {
  for (bool again = true; again;) {
    again = false;
    for (const int id : all_) {
      if (indices_[id].range) continue;
      for (const int partner : indices_[id].partners) {
        if (!indices_[partner].range) continue;
        indices_[id].range = indices_[partner].range;
        again = true;
        break;
      }
    }
  }
  for (const int id : all_) {
    const Index& i = indices_[id];
    if (i.range) continue;
    throw FormulaError(i.place, str("it is not known from where to where ", in_quotes(i.name),
                                    " runs, as no value has it as its index; "
                                    "write sum(",
                                    i.name, "=0..3, …), or \"for ", i.name, "=0..3\" after the equation",
                                    i.name.size() > 2 ? symbols_.suggestion(i.name) : ""));
  }
}

/// An index inside brackets: an index itself, or arithmetic on indices, numbers and scalar values.
ExprPtr Elaborator::index_expression(const ExprPtr& e) {
  const bool bare = e->kind == Kind::name && !e->indexed && e->primes == 0;
  if (bare && e->name == ":")
    throw FormulaError(e->place, "a whole axis (:) stands among the indices of a value only; name this with := first");
  if (bare) {
    const int value = symbols_.find_value(e->name);
    const bool argument = function_ && e->name == function_->parameter;
    if (!argument && (lookup(e->name) >= 0 || value < 0 || !symbols_[value].extents.empty()))
      return index(free_index(e->name, e->place), e->place);
  }
  switch (e->kind) {
    case Kind::add:
    case Kind::subtract:
    case Kind::multiply:
    case Kind::negate: {
      std::vector<ExprPtr> args;
      for (const auto& arg : e->args) args.push_back(index_expression(arg));
      return like(*e, std::move(args));
    }
    default:
      return scalar(e, "an index");
  }
}

namespace {

/// name[1,2]
template <class Each>
std::string element_of(std::string_view name, std::size_t axes, Each each) {
  std::string text(name);
  for (std::size_t k = 0; k < axes; ++k) text += (k == 0 ? "[" : ",") + each(k);
  return text + "]";
}

}  // namespace

/// An index that varies may leave its axis, and a value is 0 there; one that is a number must be on it. Throws
/// MisfitError. `args` are all indices of what is called `name`, as they were written.
void Elaborator::check_constant(const ExprPtr& i, std::int64_t extent, std::string_view name,
                                const std::vector<ExprPtr>& args, const Shape& extents) {
  if (!is_constant(*i)) return;
  NoValues none;
  const double at = Evaluator(symbols_, indices_, none).run(i).data[0];
  if (at >= 0 && at < static_cast<double>(extent) && at == std::floor(at)) return;
  const auto written = element_of(name, args.size(), [&](std::size_t k) { return to_text(*args[k]); });
  const auto first = element_of(name, extents.size(), [](std::size_t) { return std::string("0"); });
  const auto last = element_of(name, extents.size(), [&](std::size_t k) { return std::to_string(extents[k] - 1); });
  const auto count = elements(extents);
  throw MisfitError(i->place, str("there is no ", written, ", only ", first, count == 2 ? " and " : " to ", last,
                                  "; indices are whole and count from 0"));
}

std::string Elaborator::shape(const std::vector<int>& axes) const {
  std::string text;
  for (const int axis : axes) text += (text.empty() ? "" : "×") + std::to_string(extent(axis));
  return axes.empty() ? "a number" : axes.size() == 1 ? "a vector of " + text : text;
}

Indexed Elaborator::run(const ExprPtr& e) {
  indices_.step(e->place);
  switch (e->kind) {
    case Kind::number:
      return {e, {}};
    case Kind::name:
      return name(*e);
    case Kind::element:
      return element(*e);
    case Kind::negate: {
      auto a = run(e->args[0]);
      return {negated(a.body), a.axes};
    }
    case Kind::add:
    case Kind::subtract:
    case Kind::hadamard:
    case Kind::quotient:
    case Kind::compare:
      return elementwise(e);
    case Kind::multiply:
    case Kind::divide:
      return multiply(e);
    case Kind::power: {
      auto a = run(e->args[0]);
      return {like(*e, {a.body, scalar(e->args[1], "an exponent")}), a.axes};
    }
    case Kind::matmul:
      return matmul(run(e->args[0]), run(e->args[1]), e->place);
    case Kind::transpose:
      return transpose(*e);
    case Kind::diag:
      return diag(*e);
    case Kind::axis_sum:
      return axis_sum(*e);
    case Kind::reduce:
      return is_pair(*e) ? elementwise(e) : reduce(*e);
    case Kind::delta: {
      const auto a = index_expression(e->args[0]), b = index_expression(e->args[1]);
      if (a->kind == Kind::index && b->kind == Kind::index) {
        indices_[a->id].partners.push_back(b->id);
        indices_[b->id].partners.push_back(a->id);
      }
      return {like(*e, {a, b}), {}};
    }
    case Kind::call:
      return call(*e);
    case Kind::derivative:
      return derivative(*e);
    case Kind::at:
      return at(*e);
    case Kind::ones: {
      const auto count = e->args[0];
      if (count->kind != Kind::number || count->number < 1 || count->number > kMostOnes ||
          count->number != std::floor(count->number))
        throw FormulaError(count->place, "ones(…) takes the number of ones, a whole number");
      return {number(1, e->place), {indices_.fresh(static_cast<std::int64_t>(count->number))}};
    }
    default:
      return {e, {}};  // in index form already
  }
}

ExprPtr Elaborator::scalar(const ExprPtr& e, std::string_view what) {
  const auto value = run(e);
  if (!value.axes.empty())
    throw FormulaError(e->place, str(what, " must be a number, not ", shape(value.axes), "; give its indices"));
  return value.body;
}

Indexed Elaborator::name(const Expr& e) {
  if (function_ && e.name == function_->parameter && e.primes == 0) return {argument_, {}};
  const int bound = e.primes == 0 && !e.indexed ? lookup(e.name) : -1;
  const int symbol = symbols_.find_value(e.name, e.primes);
  if (symbol >= 0 && (bound < 0 || !symbols_[symbol].extents.empty() || free_.count(e.name) != 0))
    return value(e, symbol, e.args, e.indexed);
  const int other = symbols_.find(e.name, e.primes);
  if (other >= 0 || is_builtin(e.name) || is_reserved(e.name))
    throw FormulaError(e.place, str(in_quotes(e.name), " is a function; give it an argument: ", e.name, "(…)"));
  return {index(free_index(e.name, e.place), e.place), {}};
}

Indexed Elaborator::value(const Expr& e, int symbol, const std::vector<ExprPtr>& args, bool indexed) {
  const auto& extents = symbols_[symbol].extents;
  Expr v;
  v.kind = Kind::value;
  v.place = e.place;
  v.name = symbols_[symbol].name;
  v.id = symbol;
  std::vector<int> axes;
  if (indexed && extents.empty()) throw MisfitError(e.place, str(v.name, " is a number and takes no index"));
  if (indexed && args.size() != extents.size()) {
    const bool row = extents.size() == 2 && args.size() == 1 && args[0]->kind == Kind::name;
    throw MisfitError(e.place, str(v.name, " is ", to_string(extents), " and takes ", extents.size(),
                                   extents.size() == 1 ? " index" : " indices", ", not ", args.size(),
                                   row ? str("; its row is ", v.name, "[", args[0]->name, ",:]") : ""));
  }
  for (std::size_t k = 0; k < extents.size(); ++k) {
    const bool whole = !indexed || (args[k]->kind == Kind::name && args[k]->name == ":");
    if (whole) {
      axes.push_back(indices_.fresh(extents[k]));
      v.args.push_back(index(axes.back(), e.place));
      continue;
    }
    auto i = index_expression(args[k]);
    if (i->kind == Kind::index) unify(i->id, 0, extents[k] - 1, i->place);
    check_constant(i, extents[k], v.name, args, extents);
    v.args.push_back(std::move(i));
  }
  return {node(std::move(v)), std::move(axes)};
}

/// (expression)[i, j]
Indexed Elaborator::element(const Expr& e) {
  auto whole = run(e.args[0]);
  std::erase(whole.axes, -1);
  if (whole.axes.size() != e.args.size() - 1) {
    throw FormulaError(e.place, str("this is ", shape(whole.axes), " and takes ", whole.axes.size(),
                                    whole.axes.size() == 1 ? " index" : " indices", ", not ", e.args.size() - 1));
  }
  std::map<int, ExprPtr> by;
  Shape extents;
  for (const int axis : whole.axes) extents.push_back(extent(axis));
  for (std::size_t k = 0; k < whole.axes.size(); ++k) {
    const auto i = index_expression(e.args[k + 1]);
    if (i->kind == Kind::index) {
      unify(i->id, 0, extents[k] - 1, i->place);
    } else if (!is_constant(*i)) {
      throw FormulaError(i->place,
                         "a plain index is needed here; name the expression with := to take it apart further");
    }
    check_constant(i, extents[k], "(" + to_text(*e.args[0]) + ")", {e.args.begin() + 1, e.args.end()}, extents);
    by[whole.axes[k]] = i;
  }
  return {substitute(whole.body, by), {}};
}

}  // namespace chalk::math
