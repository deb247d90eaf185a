#include "src/math/judge.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/math/error.h"
#include "src/math/evaluate.h"

namespace chalk::math {
namespace {

constexpr double kTolerance = 1e-10;  // of the largest magnitude that came up
// Both sides of a ≈ are computed for two values of what is small. A difference of second order falls by 100 from the
// first to the second, one of first order (so a wrong equation) by 10.
constexpr double kSmall = 1e-3, kSmaller = 1e-4, kFalls = 1.0 / 30;

std::string shown(double value) {
  if (std::isnan(value)) return "nan";  // which may have a sign
  TextStream out;
  out.precision(6);
  out << value;
  return out.str();
}

}  // namespace

std::vector<int> Judge::free_indices(const Indexed& side) {
  return Evaluator(part_.symbols, part_.indices, part_.trial(seed_, 0, kSmall)).run(side.body).axes;
}

Outcome Judge::compare(const Indexed& left, const Indexed& right, bool approximate) {
  Outcome outcome;
  bool all_zero = true;
  for (int trial = 0; trial < trials_ && outcome.equal; ++trial) {
    outcome = compare_once(left, right, part_.trial(seed_, trial, kSmall));
    all_zero = all_zero && outcome.all_zero;
    if (!approximate) continue;
    const auto finer = compare_once(left, right, part_.trial(seed_, trial, kSmaller));
    outcome.equal = outcome.finite && finer.finite && (finer.places == 0 || finer.most <= outcome.most * kFalls);
  }
  outcome.all_zero = all_zero;
  if (outcome.equal && all_zero) check_ranges(left, right);
  return outcome;
}

/// If both sides are 0, but would not be with other numbers outside of ranges, the equation says nothing.
void Judge::check_ranges(const Indexed& left, const Indexed& right) {
  constexpr double kAnyNumber = 0.7;
  Trial other(part_.system, part_.symbols, part_.indices, seed_, kSmall);
  other.outside(kAnyNumber);
  if (compare_once(left, right, other).all_zero) return;
  Evaluator evaluator(part_.symbols, part_.indices, other);
  evaluator.run(left.body);
  evaluator.run(right.body);
  const Expr* read = evaluator.outside();
  const auto name = !read ? std::string("a value")
                    : read->kind == Kind::value
                        ? part_.symbols[read->id].name
                        : str("d", part_.symbols[read->id].name, "/d", part_.symbols[read->other].name);
  throw MisfitError(read ? read->place : left.body->place,
                    str("both sides are 0 in every trial, but only because ", name,
                        " counts as 0 outside of its range; choose indices within it, which count from 0"));
}

Outcome Judge::compare_once(const Indexed& left, const Indexed& right, Trial& trial) {
  Evaluator evaluator(part_.symbols, part_.indices, trial);
  const Array a = evaluator.run(left.body), b = evaluator.run(right.body);
  std::vector<int> axes;
  std::set_union(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(), std::back_inserter(axes));
  const auto l = spread(a, axes, part_.indices), r = spread(b, axes, part_.indices);
  const double tolerance = kTolerance * evaluator.magnitude();
  Outcome o;
  o.of = l.size();
  double ratio = 0;
  bool constant = true;
  for (std::size_t i = 0; i < l.size(); ++i) {
    const bool finite = std::isfinite(l[i]) && std::isfinite(r[i]);
    const double difference = std::abs(l[i] - r[i]);
    if (l[i] != 0 || r[i] != 0) o.all_zero = false;
    if (std::abs(r[i]) > tolerance) {
      if (ratio == 0) ratio = l[i] / r[i];
      constant = constant && std::abs(l[i] - ratio * r[i]) <= tolerance * std::max(1.0, std::abs(ratio));
    } else {
      constant = constant && std::abs(l[i]) <= tolerance;
    }
    if (finite && difference <= tolerance) continue;
    if (o.places++ == 0 || (!finite && o.finite)) {
      o.left = l[i], o.right = r[i];
      o.where = place_of(i, axes);
    }
    o.finite = o.finite && finite;
    o.most = std::max(o.most, difference);
  }
  o.equal = o.places == 0;
  if (constant && ratio != 0) o.factor = ratio;
  return o;
}

/// "at d=0, e=3", or "at [0,3]" for the axes of vectors and matrices.
std::string Judge::place_of(std::size_t i, const std::vector<int>& axes) const {
  std::vector<std::string> parts(axes.size());
  bool named = true;
  for (auto k = axes.size(); k-- > 0;) {
    const Index& index = part_.indices[axes[k]];
    const auto extent = static_cast<std::size_t>(index.extent());
    const auto at = index.range->first + static_cast<std::int64_t>(i % extent);
    i /= extent;
    named = named && !index.name.empty();
    parts[k] = (index.name.empty() ? "" : index.name + "=") + std::to_string(at);
  }
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : named ? ", " : ",") + part;
  return text.empty() ? "" : named ? " at " + text : " at [" + text + "]";
}

std::string Judge::explain(const Indexed& left, const Indexed& right, const Outcome& c, bool approximate) {
  auto text = str("left is ", shown(c.left), ", right is ", shown(c.right), c.where);
  if (!c.finite) {
    return text +
           ": not a number, as of a logarithm of 0 or less, or a division by 0; choose what values are drawn "
           "from (NAME in 0.1..1)";
  }
  if (c.of > 1) text += str("; they differ at ", c.places, " of ", c.of, " places, by up to ", shown(c.most));
  if (approximate) return text + "; the difference is not small of second order";
  if (c.factor && std::abs(*c.factor + 1) < 1e-9) {
    text += "; left is right with the opposite sign";
  } else if (c.factor && c.of > 1 && *c.factor != 0) {
    text += str("; left is ", shown(*c.factor), " times right everywhere");
  }
  // An index that is on one side only is seldom intended.
  const auto l = free_indices(left), r = free_indices(right);
  const auto only = [&](const std::vector<int>& mine, const std::vector<int>& theirs, const char* side) {
    for (const int id : mine) {
      if (std::find(theirs.begin(), theirs.end(), id) == theirs.end() && !part_.indices[id].name.empty())
        text += str("; the index ", part_.indices[id].name, " stands on the ", side, " only");
    }
  };
  only(l, r, "left");
  only(r, l, "right");
  return text;
}

}  // namespace chalk::math
