#include "src/math/expr.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {

ExprPtr node(Expr e) {
  constexpr int kDeepest = 3000;  // more would not fit on the stack
  e.depth = 1;
  for (const auto& arg : e.args) e.depth = std::max(e.depth, arg->depth + 1);
  if (e.depth > kDeepest)
    throw FormulaError(e.place, str("more than ", grouped(kDeepest),
                                    " operations in a row or within each other; give a part of it a name with :="));
  return std::make_shared<const Expr>(std::move(e));
}

ExprPtr make(Kind kind, Place place, std::vector<ExprPtr> args) {
  Expr e;
  e.kind = kind;
  e.place = place;
  e.args = std::move(args);
  return node(std::move(e));
}

ExprPtr number(double value, Place place) {
  Expr e;
  e.place = place;
  e.number = value;
  return node(std::move(e));
}

ExprPtr like(const Expr& e, std::vector<ExprPtr> args) {
  Expr copy = e;
  copy.args = std::move(args);
  return node(std::move(copy));
}

ExprPtr call_of(std::string_view function, const ExprPtr& x, Place place) {
  Expr e;
  e.kind = Kind::call;
  e.place = place;
  e.name = function;
  e.args = {x};
  return node(std::move(e));
}

ExprPtr sum_over(int id, const ExprPtr& body, Place place, const std::string& name) {
  Expr e;
  e.kind = Kind::reduce;
  e.place = place;
  Bound bound{.name = name, .id = id, .place = place};
  e.bounds = {std::move(bound)};
  e.args = {body};
  return node(std::move(e));
}

ExprPtr over(Reduction reduction, std::vector<Bound> bounds, const ExprPtr& body) {
  Expr e;
  e.kind = Kind::reduce;
  e.place = body->place;
  e.reduction = reduction;
  e.bounds = std::move(bounds);
  e.args = {body};
  return node(std::move(e));
}

ExprPtr pair_of(Reduction reduction, const ExprPtr& a, const ExprPtr& b) {
  Expr e;
  e.kind = Kind::reduce;
  e.place = a->place;
  e.reduction = reduction;
  e.args = {a, b};
  return node(std::move(e));
}

bool is_pair(const Expr& e) { return e.kind == Kind::reduce && e.bounds.empty() && e.args.size() == 2; }

ExprPtr compared(Comparison comparison, const ExprPtr& a, const ExprPtr& b) {
  Expr e;
  e.kind = Kind::compare;
  e.place = a->place;
  e.comparison = comparison;
  e.args = {a, b};
  return node(std::move(e));
}

bool holds(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::equal:
      return a == b;
    case Comparison::not_equal:
      return a != b;
    case Comparison::less:
      return a < b;
    case Comparison::less_equal:
      return a <= b;
    case Comparison::greater:
      return a > b;
    case Comparison::greater_equal:
      return a >= b;
  }
  return false;
}

bool is_number(const Expr& expr, double value) { return expr.kind == Kind::number && expr.number == value; }

ExprPtr sum_of(const ExprPtr& a, const ExprPtr& b) {
  if (is_number(*a, 0)) return b;
  if (is_number(*b, 0)) return a;
  return make(Kind::add, a->place, {a, b});
}

ExprPtr difference(const ExprPtr& a, const ExprPtr& b) {
  if (is_number(*a, 0)) return negated(b);
  if (is_number(*b, 0)) return a;
  return make(Kind::subtract, a->place, {a, b});
}

ExprPtr product(const ExprPtr& a, const ExprPtr& b) {
  if (is_number(*a, 0) || is_number(*b, 1)) return a;
  if (is_number(*b, 0) || is_number(*a, 1)) return b;
  return make(Kind::multiply, a->place, {a, b});
}

ExprPtr ratio(const ExprPtr& a, const ExprPtr& b) {
  if (is_number(*a, 0) || is_number(*b, 1)) return a;
  return make(Kind::divide, a->place, {a, b});
}

ExprPtr negated(const ExprPtr& a) {
  if (a->kind == Kind::number) return number(-a->number, a->place);
  return make(Kind::negate, a->place, {a});
}

}  // namespace chalk::math
