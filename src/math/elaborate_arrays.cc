// Vectors and matrices: every operation on them is one on their elements.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/math/elaborate.h"
#include "src/math/error.h"
#include "src/math/substitute.h"

namespace chalk::math {

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
    body = sum_over(inner, make(Kind::multiply, place, {a.body, b}), place, indices_[inner].name);
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
  a.body = sum_over(id, a.body, e.place);
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

}  // namespace chalk::math
