// Functions, derivatives, and values at other places.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/derive.h"
#include "src/math/elaborate.h"
#include "src/math/error.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr int kMostFunctions = 50;  // within each other
constexpr double kStep = 0x1p-20;   // aside of a corner, where limits are taken from: the next corner is further away

}  // namespace

Indexed Elaborator::call(const Expr& e) {
  const auto argument = run(e.args.back());
  if (e.name == "softmax") {
    if (e.primes > 0) throw FormulaError(e.place, "softmax has no single derivative; write d(softmax(s)[i])/ds[j]");
    return softmax(e, argument);
  }
  if (e.name == kNormFunction) return norm(e, argument);
  const auto of_builtin = [&](const std::string& function) {
    const auto hole = make(Kind::name, e.place);
    return applied(e, call_of(function, hole, e.place), hole, argument.body);
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
    check_constant(which, last + 1, e.name, {e.args[0]}, {last + 1});
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

/// While it lives, the body of a function is read.
class Elaborator::InFunction {
 public:
  InFunction(Elaborator& elaborator, const Symbol& function, ExprPtr argument)
      : elaborator_(elaborator),
        function_(std::exchange(elaborator.function_, &function)),
        argument_(std::exchange(elaborator.argument_, std::move(argument))),
        bound_(std::exchange(elaborator.bound_, {})) {  // the body does not see the indices around the call
    ++elaborator.depth_;
  }
  ~InFunction() {
    elaborator_.function_ = function_;
    elaborator_.argument_ = std::move(argument_);
    elaborator_.bound_ = std::move(bound_);
    --elaborator_.depth_;
  }
  InFunction(const InFunction&) = delete;
  InFunction& operator=(const InFunction&) = delete;

 private:
  Elaborator& elaborator_;
  const Symbol* function_;
  ExprPtr argument_;
  std::vector<std::pair<std::string, int>> bound_;
};

Indexed Elaborator::user_function(const Expr& e, const Symbol& function, const Indexed& argument) {
  if (depth_ == kMostFunctions)
    throw FormulaError(e.place, str("more than ", kMostFunctions, " functions within each other"));
  const auto hole = make(Kind::name, e.place);
  const auto body_of = [&](const ExprPtr& parameter) {
    const InFunction reading(*this, function, parameter);
    return run(function.body);
  };
  Indexed result;
  try {
    // A number stands in its own place, so that indices that it is in are checked; but derivatives are by the hole.
    const bool number = is_constant(*argument.body);
    if (number) result = body_of(argument.body);
    if (!number || e.primes > 0) result = body_of(hole);
  } catch (const FormulaError& error) {
    if (depth_ > 0) throw;
    throw FormulaError(e.place, str("in ", e.name, "(…): ", error.what()));
  }
  if (!result.axes.empty())
    throw FormulaError(e.place, str("the value of ", e.name, "(…) must be one number, not ", shape(result.axes)));
  return {applied(e, result.body, hole, argument.body), argument.axes};
}

/// The body of the function that `e` calls, derived as often as it has primes, at `argument`.
ExprPtr Elaborator::applied(const Expr& e, ExprPtr body, const ExprPtr& hole, const ExprPtr& argument) {
  for (int k = 0; k < e.primes; ++k) body = derive(body, hole.get(), symbols_, indices_);
  const auto at = [&](const ExprPtr& place) { return substitute(body, hole.get(), place); };
  if (e.primes == 0) return at(argument);
  return limit(at(argument), [&](const ExprPtr& step) { return at(sum_of(argument, step)); });
}

/// A derivative that may be at a corner: with the same one some steps aside, `beside(step)`, on both sides.
ExprPtr Elaborator::limit(const ExprPtr& derivative, const std::function<ExprPtr(const ExprPtr& step)>& beside) {
  if (!has_corners(*derivative, symbols_)) return derivative;
  Expr e;
  e.kind = Kind::limit;
  e.place = derivative->place;
  e.id = indices_.add({.range = std::pair{-kSteps, kSteps}});
  e.args = {derivative, beside(product(number(kStep, e.place), index(e.id, e.place)))};
  return node(std::move(e));
}

/// at(e, x[k] := x[k] + step·δ(k, i)): where one number of a value is a step aside.
ExprPtr Elaborator::beside(const ExprPtr& e, const Expr& x, ExprPtr step) {
  Expr target = x;
  for (std::size_t k = 0; k < x.args.size(); ++k) {
    target.args[k] = index(indices_.fresh(symbols_[x.id].extents[k]), e->place);
    step = product(make(Kind::delta, e->place, {target.args[k], x.args[k]}), step);
  }
  const auto value = node(std::move(target));
  return make(Kind::at, e->place, {e, value, sum_of(value, step)});
}

/// e^x / Σ e^x along the last axis.
Indexed Elaborator::softmax(const Expr& e, const Indexed& x) {
  if (x.axes.empty() || x.axes.back() < 0)
    throw FormulaError(e.place,
                       str("softmax takes a vector, not ", shape(x.axes), "; write softmax(s)[i], not softmax(s[i])"));
  const int other = indices_.add(indices_[x.axes.back()]);
  const auto others = substitute(x.body, {{x.axes.back(), index(other, e.place)}});
  return {ratio(call_of("exp", x.body, e.place), sum_over(other, call_of("exp", others, e.place), e.place)), x.axes};
}

/// ‖x‖ = √Σ x² over all axes.
Indexed Elaborator::norm(const Expr& e, const Indexed& x) {
  auto squares = make(Kind::multiply, e.place, {x.body, x.body});
  for (const int axis : x.axes) squares = axis < 0 ? squares : sum_over(axis, squares, e.place);
  return {call_of(kNormFunction, squares, e.place), {}};
}

Indexed Elaborator::derivative(const Expr& e) {
  const auto numerator = run(e.args[0]);
  const Expr& below = *e.args[1];
  const int symbol = symbols_.find_value(below.name, below.primes);
  const auto target = value(below, symbol, below.args, below.indexed);
  auto axes = numerator.axes;
  axes.insert(axes.end(), target.axes.begin(), target.axes.end());
  const auto result = derive(numerator.body, symbol, target.body->args, symbols_, indices_);
  // A network's values follow from its inputs and cannot step aside.
  if (symbols_[symbol].kind == Symbol::Kind::computed) return {result, axes};
  return {limit(result, [&](const ExprPtr& step) { return beside(result, *target.body, step); }), axes};
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
