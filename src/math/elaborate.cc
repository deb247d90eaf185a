#include "src/math/elaborate.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/derive.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

constexpr int kMostFunctions = 50;  // within each other
constexpr std::int64_t kMostOnes = 1 << 20;

ExprPtr like(const Expr& e, std::vector<ExprPtr> args) {
  Expr copy = e;
  copy.args = std::move(args);
  return node(std::move(copy));
}

bool is_pair(const Expr& e) { return e.kind == Kind::reduce && e.bounds.empty() && e.args.size() == 2; }

/// Replaces leaves; a subtree that is shared stays shared.
template <class Leaf>
class Substitution {
 public:
  explicit Substitution(Leaf leaf) : leaf_(leaf) {}

  ExprPtr run(const ExprPtr& e) {
    if (auto replaced = leaf_(e)) return replaced;
    if (e->args.empty()) return e;
    const auto [place, isnew] = done_.try_emplace(e.get());
    if (!isnew) return place->second;
    std::vector<ExprPtr> args;
    args.reserve(e->args.size());
    bool same = true;
    for (const auto& arg : e->args) {
      args.push_back(run(arg));
      same = same && args.back() == arg;
    }
    return done_[e.get()] = same ? e : like(*e, std::move(args));
  }

 private:
  Leaf leaf_;
  std::unordered_map<const Expr*, ExprPtr> done_;
};

}  // namespace

ExprPtr substitute(const ExprPtr& e, const std::map<int, ExprPtr>& indices) {
  return Substitution([&](const ExprPtr& leaf) -> ExprPtr {
           if (leaf->kind != Kind::index) return nullptr;
           const auto found = indices.find(leaf->id);
           return found == indices.end() ? nullptr : found->second;
         })
      .run(e);
}

ExprPtr substitute(const ExprPtr& e, const Expr* hole, const ExprPtr& by) {
  return Substitution([&](const ExprPtr& leaf) { return leaf.get() == hole ? by : nullptr; }).run(e);
}

namespace {

void collect(const Expr& e, std::set<int>& symbols, std::unordered_set<const Expr*>& seen) {
  if (!seen.insert(&e).second) return;
  if (e.kind == Kind::value || e.kind == Kind::jacobian) symbols.insert(e.id);
  if (e.kind == Kind::jacobian) symbols.insert(e.other);
  for (const auto& arg : e.args) collect(*arg, symbols, seen);
}

}  // namespace

std::set<int> mentioned(const Expr& e) {
  std::set<int> symbols;
  std::unordered_set<const Expr*> seen;
  collect(e, symbols, seen);
  return symbols;
}

// ---- indices
// ---------------------------------------------------------------------------------------------------------

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

std::string Elaborator::shape(const std::vector<int>& axes) const {
  std::string text;
  for (const int axis : axes) text += (text.empty() ? "" : "×") + std::to_string(extent(axis));
  return axes.empty() ? "a number" : axes.size() == 1 ? "a vector of " + text : text;
}

// ---- formulas
// --------------------------------------------------------------------------------------------------------

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
  for (std::size_t k = 0; k < whole.axes.size(); ++k) {
    const auto i = index_expression(e.args[k + 1]);
    const auto last = extent(whole.axes[k]) - 1;
    if (i->kind == Kind::index) {
      unify(i->id, 0, last, i->place);
    } else if (i->kind != Kind::number || i->number != std::floor(i->number)) {
      throw FormulaError(i->place,
                         "a plain index is needed here; name the expression with := to take it apart further");
    } else if (i->number > static_cast<double>(last)) {
      throw MisfitError(i->place, str("this index runs from 0 to ", last));
    }
    by[whole.axes[k]] = i;
  }
  return {substitute(whole.body, by), {}};
}

Indexed Elaborator::aligned(const Indexed& a, const Indexed& b, Place place) {
  std::map<int, ExprPtr> by;
  std::vector<int> left, right;
  std::copy_if(a.axes.begin(), a.axes.end(), std::back_inserter(left), [](int axis) { return axis >= 0; });
  std::copy_if(b.axes.begin(), b.axes.end(), std::back_inserter(right), [](int axis) { return axis >= 0; });
  bool same = left.size() == right.size();
  for (std::size_t k = 0; same && k < left.size(); ++k) {
    same = extent(left[k]) == extent(right[k]);
    by[right[k]] = index(left[k], place);
  }
  if (!same) {
    const bool number = a.axes.empty() || b.axes.empty();
    throw MisfitError(place, str("the shapes differ: ", shape(a.axes), " and ", shape(b.axes),
                                 number ? "; write the indices, as in v[i] = 0" : ""));
  }
  return {substitute(b.body, by), a.axes};
}

/// a + b, a .* b, [a > b], max(a, b): numbers go with anything, a vector with each row of a matrix.
Indexed Elaborator::elementwise(const ExprPtr& e) {
  auto a = run(e->args[0]), b = run(e->args[1]);
  if (!a.axes.empty() && !b.axes.empty()) {
    if (b.axes.size() == 1 && a.axes.size() == 2 && a.axes[0] >= 0) {
      b.body = aligned({a.body, {a.axes[1]}}, b, e->place).body;
    } else if (a.axes.size() == 1 && b.axes.size() == 2 && b.axes[0] >= 0) {
      a = {aligned({b.body, {b.axes[1]}}, a, e->place).body, b.axes};
    } else {
      b = aligned(a, b, e->place);
    }
  }
  const auto& axes = a.axes.empty() ? b.axes : a.axes;
  if (e->kind == Kind::add) return {sum_of(a.body, b.body), axes};
  if (e->kind == Kind::subtract) return {difference(a.body, b.body), axes};
  if (e->kind == Kind::hadamard) return {make(Kind::multiply, e->place, {a.body, b.body}), axes};
  if (e->kind == Kind::quotient) return {make(Kind::divide, e->place, {a.body, b.body}), axes};
  return {like(*e, {a.body, b.body}), axes};
}

Indexed Elaborator::multiply(const ExprPtr& e) {
  const auto a = run(e->args[0]), b = run(e->args[1]);
  const bool good = e->kind == Kind::multiply ? a.axes.empty() || b.axes.empty() : b.axes.empty();
  if (!good) {
    throw FormulaError(e->place,
                       str("\"", e->kind == Kind::multiply ? "*" : "/", "\" of ", shape(a.axes), " and ", shape(b.axes),
                           e->kind == Kind::multiply
                               ? " could mean two things; write @ for the matrix product, .* for element by element"
                               : "; write ./ for element by element"));
  }
  return {like(*e, {a.body, b.body}), a.axes.empty() ? b.axes : a.axes};
}

Indexed Elaborator::matmul(const Indexed& a, const Indexed& given, Place place) {
  if (a.axes.empty() || given.axes.empty())
    return {make(Kind::multiply, place, {a.body, given.body}), a.axes.empty() ? given.axes : a.axes};
  std::vector<int> left = a.axes, right = given.axes;
  // A column times a row.
  if (left.size() == 1 && right.size() > 1 && right.front() < 0 && left[0] >= 0) left.push_back(-1);
  if (extent(left.back()) != extent(right.front())) {
    throw MisfitError(place, str(shape(left), " @ ", shape(right), ": the inner extents ", extent(left.back()), " and ",
                                 extent(right.front()), " differ; is a ^T missing?"));
  }
  const int inner = left.back(), other = right.front();
  auto body = make(Kind::multiply, place, {a.body, given.body});
  if (inner >= 0 && other >= 0) {
    const auto b = substitute(given.body, {{other, index(inner, place)}});
    Expr sum;
    sum.kind = Kind::reduce;
    sum.place = place;
    Bound bound{.name = indices_[inner].name, .id = inner, .place = place};
    sum.bounds = {std::move(bound)};
    sum.args = {make(Kind::multiply, place, {a.body, b})};
    body = node(std::move(sum));
  }
  left.pop_back();
  left.insert(left.end(), right.begin() + 1, right.end());
  if (std::all_of(left.begin(), left.end(), [](int axis) { return axis < 0; })) left.clear();
  return {body, left};
}

Indexed Elaborator::transpose(const Expr& e) {
  auto a = run(e.args[0]);
  if (a.axes.empty() && symbols_.find_value("T") >= 0)
    throw FormulaError(e.place, "^T is the transpose, which a number has no need of; write ^(T) for a power");
  if (a.axes.size() > 2) throw FormulaError(e.place, str("^T takes a vector or a matrix, not ", shape(a.axes)));
  if (a.axes.size() == 1)
    a.axes.insert(a.axes.begin(), -1);
  else if (a.axes.size() == 2)
    std::swap(a.axes[0], a.axes[1]);
  if (a.axes.size() == 2 && a.axes[1] < 0) a.axes.pop_back();
  return a;
}

Indexed Elaborator::diag(const Expr& e) {
  const auto a = run(e.args[0]);
  if (a.axes.size() != 1 || a.axes[0] < 0) throw FormulaError(e.place, str("diag takes a vector, not ", shape(a.axes)));
  const int column = indices_.fresh(extent(a.axes[0]));
  const auto same = make(Kind::delta, e.place, {index(a.axes[0], e.place), index(column, e.place)});
  return {make(Kind::multiply, e.place, {same, a.body}), {a.axes[0], column}};
}

Indexed Elaborator::axis_sum(const Expr& e) {
  auto a = run(e.args[0]);
  const auto axes = static_cast<double>(a.axes.size());
  const double axis = e.number < 0 ? e.number + axes : e.number;
  if (axis < 0 || axis >= axes)
    throw FormulaError(e.place, str("axis ", e.number, " is not there; this is ", shape(a.axes)));
  const auto place = a.axes.begin() + static_cast<std::ptrdiff_t>(axis);
  const int id = *place;
  a.axes.erase(place);
  if (id < 0) return a;
  Expr sum;
  sum.kind = Kind::reduce;
  sum.place = e.place;
  Bound bound{.name = {}, .id = id, .place = e.place};
  sum.bounds = {std::move(bound)};
  sum.args = {a.body};
  a.body = node(std::move(sum));
  return a;
}

/// sum(i, j=0..2, …), and sum(A) over all axes.
Indexed Elaborator::reduce(const Expr& e) {
  Expr copy = e;
  const auto before = bound_.size();
  for (auto& bound : copy.bounds) {
    bound.id = indices_.add(
        {.name = bound.name, .range = bound.range, .written = bound.range.has_value(), .place = bound.place});
    all_.push_back(bound.id);
    bound_.emplace_back(bound.name, bound.id);
  }
  auto body = run(e.args[0]);
  bound_.resize(before);
  if (copy.bounds.empty()) {
    for (const int axis : body.axes) {
      if (axis < 0) continue;
      Bound bound{.name = {}, .id = axis, .place = e.place};
      copy.bounds.push_back(std::move(bound));
    }
    body.axes.clear();
    if (copy.bounds.empty()) return body;
  }
  copy.args = {body.body};
  return {node(std::move(copy)), body.axes};
}

// ---- functions
// -------------------------------------------------------------------------------------------------------

Indexed Elaborator::call(const Expr& e) {
  const auto argument = run(e.args.back());
  if (e.name == "softmax") {
    if (e.primes > 0) throw FormulaError(e.place, "softmax has no single derivative; write d(softmax(s)[i])/ds[j]");
    return softmax(e, argument);
  }
  const auto of_builtin = [&](const std::string& function) {
    auto hole = make(Kind::name, e.place);
    Expr f;
    f.kind = Kind::call;
    f.place = e.place;
    f.name = function;
    f.args = {hole};
    ExprPtr body = node(std::move(f));
    for (int k = 0; k < e.primes; ++k) body = derive(body, hole.get(), symbols_, indices_);
    return substitute(body, hole.get(), argument.body);
  };
  if (is_builtin(e.name)) return {of_builtin(e.name), argument.axes};
  const Symbol& symbol = symbols_[symbols_.find(e.name)];
  if (symbol.kind == Symbol::Kind::function) return user_function(e, symbol, argument);
  // One of a family: Σ [j = k]·fₖ(x)
  const auto last = static_cast<std::int64_t>(symbol.names.size()) - 1;
  ExprPtr which;
  if (e.args.size() > 1) {
    which = index_expression(e.args[0]);
    if (which->kind == Kind::index) unify(which->id, 0, last, which->place);
  } else {
    if (argument.axes.empty() || argument.axes.back() < 0 || extent(argument.axes.back()) != last + 1) {
      throw FormulaError(e.place, str(e.name, " has ", last + 1, " functions and takes a vector of as many, not ",
                                      shape(argument.axes), "; write ", e.name, "[j](…) for one of them"));
    }
    which = index(argument.axes.back(), e.place);
  }
  ExprPtr body = number(0, e.place);
  for (std::int64_t k = 0; k <= last; ++k) {
    const auto chosen = make(Kind::delta, e.place, {which, number(static_cast<double>(k), e.place)});
    body = sum_of(body, product(chosen, of_builtin(symbol.names[static_cast<std::size_t>(k)])));
  }
  return {body, argument.axes};
}

Indexed Elaborator::user_function(const Expr& e, const Symbol& function, const Indexed& argument) {
  if (++depth_ > kMostFunctions)
    throw FormulaError(e.place, str("more than ", kMostFunctions, " functions within each other"));
  const auto* function_before = function_;
  const auto argument_before = argument_;
  const auto bound_before = std::exchange(bound_, {});  // the body does not see the indices around the call
  const auto hole = make(Kind::name, e.place);
  function_ = &function;
  argument_ = hole;
  Indexed result;
  try {
    result = run(function.body);
  } catch (const FormulaError& error) {
    if (--depth_ > 0) throw;
    throw FormulaError(e.place, str("in ", e.name, "(…): ", error.what()));
  }
  if (!result.axes.empty())
    throw FormulaError(e.place, str("the value of ", e.name, "(…) must be one number, not ", shape(result.axes)));
  function_ = function_before;
  argument_ = argument_before;
  bound_ = bound_before;
  --depth_;
  ExprPtr body = result.body;
  for (int k = 0; k < e.primes; ++k) body = derive(body, hole.get(), symbols_, indices_);
  return {substitute(body, hole.get(), argument.body), argument.axes};
}

/// e^x / Σ e^x along the last axis.
Indexed Elaborator::softmax(const Expr& e, const Indexed& x) {
  if (x.axes.empty() || x.axes.back() < 0)
    throw FormulaError(e.place,
                       str("softmax takes a vector, not ", shape(x.axes), "; write softmax(s)[i], not softmax(s[i])"));
  const int other = indices_.add(indices_[x.axes.back()]);
  const auto exponential = [&](const ExprPtr& of) {
    Expr f;
    f.kind = Kind::call;
    f.place = e.place;
    f.name = "exp";
    f.args = {of};
    return node(std::move(f));
  };
  Expr sum;
  sum.kind = Kind::reduce;
  sum.place = e.place;
  Bound bound{.name = {}, .id = other, .place = e.place};
  sum.bounds = {std::move(bound)};
  sum.args = {exponential(substitute(x.body, {{x.axes.back(), index(other, e.place)}}))};
  return {ratio(exponential(x.body), node(std::move(sum))), x.axes};
}

// ---- derivatives
// -----------------------------------------------------------------------------------------------------

Indexed Elaborator::derivative(const Expr& e) {
  const auto numerator = run(e.args[0]);
  const Expr& below = *e.args[1];
  const int symbol = symbols_.find_value(below.name, below.primes);
  const auto target = value(below, symbol, below.args, below.indexed);
  auto axes = numerator.axes;
  axes.insert(axes.end(), target.axes.begin(), target.axes.end());
  return {derive(numerator.body, symbol, target.body->args, symbols_, indices_), axes};
}

/// at(L, w := …): in index form the targets are values with indices, each followed by what it becomes.
Indexed Elaborator::at(const Expr& e) {
  const auto what = run(e.args[0]);
  std::vector<ExprPtr> args{what.body};
  for (std::size_t k = 1; k + 1 < e.args.size(); k += 2) {
    const Expr& name = *e.args[k];
    const int symbol = symbols_.find_value(name.name, name.primes);
    if (symbols_[symbol].kind != Symbol::Kind::drawn) {
      throw FormulaError(name.place, str(in_quotes(name.name),
                                         " follows from other values and cannot be changed itself; "
                                         "change an input, a parameter or a given value"));
    }
    const auto before = bound_.size();
    if (name.indexed) {  // these indices belong to the assignment alone
      for (const auto& arg : name.args) {
        const bool plain = arg->kind == Kind::name && !arg->indexed && arg->primes == 0 && arg->name != ":";
        if (!plain || symbols_.find_value(arg->name) >= 0)
          throw FormulaError(arg->place, "a plain index expected: at(L, w[i,j] := …)");
        const int id = indices_.add({.name = arg->name, .place = arg->place});
        all_.push_back(id);
        bound_.emplace_back(arg->name, id);
      }
    }
    const auto target = value(name, symbol, name.args, name.indexed);
    const auto becomes = run(e.args[k + 1]);
    bound_.resize(before);
    args.push_back(target.body);
    args.push_back(becomes.axes.empty() ? becomes.body : aligned(target, becomes, name.place).body);
  }
  return {like(e, std::move(args)), what.axes};
}

}  // namespace chalk::math
