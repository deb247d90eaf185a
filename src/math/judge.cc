#include "src/math/judge.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "src/base/random.h"
#include "src/base/text.h"
#include "src/math/corners.h"
#include "src/math/error.h"
#include "src/math/evaluate.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr double kTolerance = 1e-10;                                // of the largest magnitude that came up
constexpr std::int64_t kMostWorkAtCorners = std::int64_t{1} << 25;  // numbers computed at corners
constexpr int kMostDraws = 12;                                      // where both sides are 0
// Both sides of a ≈ are computed for two values of what is small. A difference of second order falls by 100 from the
// first to the second, one of first order (so a wrong equation) by 10.
constexpr double kSmaller = 1e-4, kFalls = 1.0 / 30;

/// "has slope 0 on the left and 1 on the right, by convention 0" or, if these are the same, "is 1".
std::string slopes(double convention, double left, double right, double tolerance) {
  if (std::abs(left - right) <= tolerance) return "is " + shown(convention);
  return str("has slope ", shown(left), " on the left and ", shown(right), " on the right, by convention ",
             shown(convention));
}

/// While it lives, values count as that number outside of their ranges.
class CountedOutside {
 public:
  CountedOutside(Trial& trial, double number) : trial_(trial) { count(number); }
  ~CountedOutside() { count(0); }
  CountedOutside(const CountedOutside&) = delete;
  CountedOutside& operator=(const CountedOutside&) = delete;

 private:
  void count(double number) {
    trial_.rules.outside = number;
    trial_.forget_definitions();
  }
  Trial& trial_;
};

}  // namespace

/// Of an equation whose numbers are too many, some are judged: each index that is left open keeps a few of its values
/// that are next to each other: the first ones, until others are chosen.
class Judge::Narrowed {
 public:
  Narrowed(Part& part, const Indexed& left, const Indexed& right) : indices_(part.indices) {
    std::set<int> open = visit(left.body);
    open.merge(visit(right.body));
    for (const int id : open) {
      if (indices_[id].range) whole_.emplace_back(id, *indices_[id].range);
    }
    for (double work = numbers(left, right); work > part.much;) {
      int longest = -1;
      for (const auto& [id, range] : whole_) {
        if (longest < 0 || indices_[id].extent() > indices_[longest].extent()) longest = id;
      }
      if (longest < 0 || indices_[longest].extent() <= kFew) break;
      auto& range = *indices_[longest].range;
      range.second = range.first + std::max(kFew, indices_[longest].extent() / 2) - 1;
      work = numbers(left, right);
      narrow_ = true;
    }
    for (const auto& [id, range] : whole_) kept_.push_back(indices_[id].extent());
  }
  Narrowed(const Narrowed&) = delete;
  Narrowed& operator=(const Narrowed&) = delete;
  ~Narrowed() { restore(); }

  void restore() {
    for (const auto& [id, range] : whole_) indices_[id].range = range;
  }
  /// Whether there are others.
  bool narrow() const { return narrow_; }
  /// Any; every third time the first ones, and the last ones.
  void choose(int trial, std::uint64_t seed) {
    if (!narrow_) return;
    Random random(seed + static_cast<std::uint64_t>(trial), hash_name("places"));
    for (std::size_t k = 0; k < whole_.size(); ++k) {
      const auto& [id, range] = whole_[k];
      const auto more = range.second - range.first + 1 - kept_[k];
      const auto at = trial % 3 == 0 ? random.below(static_cast<std::uint32_t>(more) + 1) : trial % 3 == 1 ? 0 : more;
      const auto first = range.first + static_cast<std::int64_t>(at);
      indices_[id].range = {first, first + kept_[k] - 1};
    }
  }

 private:
  static constexpr std::int64_t kFew = 2;

  /// Indices that nothing binds.
  std::set<int> visit(const ExprPtr& e) {
    if (e->kind == Kind::index) return {e->id};
    if (const auto known = open_.find(e.get()); known != open_.end()) return known->second;
    std::set<int> found;
    for (const auto& arg : e->args) found.merge(visit(arg));
    for (const auto& bound : e->bounds) found.erase(bound.id);
    if (e->kind == Kind::limit) found.erase(e->id);
    for (std::size_t k = 1; e->kind == Kind::at && k < e->args.size(); k += 2) {  // w[i,j] := …
      for (const auto& index : e->args[k]->args) found.erase(index->id);
    }
    return open_[e.get()] = found;
  }
  double numbers(const Indexed& left, const Indexed& right) {
    double all = 0;
    std::unordered_set<const Expr*> seen;
    for (const auto& side : {left, right}) add(side.body, seen, all);
    return all;
  }
  void add(const ExprPtr& e, std::unordered_set<const Expr*>& seen, double& all) {
    if (!seen.insert(e.get()).second) return;
    double size = 1;
    for (const int id : visit(e)) size *= indices_[id].range ? static_cast<double>(indices_[id].extent()) : 1;
    all += size;
    for (const auto& arg : e->args) add(arg, seen, all);
  }

  Indices& indices_;
  std::vector<std::pair<int, std::pair<std::int64_t, std::int64_t>>> whole_;
  std::vector<std::int64_t> kept_;
  bool narrow_ = false;
  std::unordered_map<const Expr*, std::set<int>> open_;
};

std::vector<int> Judge::free_indices(const Indexed& side) {
  const Narrowed narrowed(part_, side, side);
  return Evaluator(part_.symbols, part_.indices, part_.trial(seed_, 0, kSmall)).run(side.body).axes;
}

Outcome Judge::compare(const Indexed& left, const Indexed& right, bool approximate) {
  Narrowed narrowed(part_, left, right);
  double residual = 0;
  Outcome outcome;
  std::string remark, exception;
  bool all_zero = true;
  const auto add = [&](Outcome found) {
    if (remark.empty()) remark = found.remark;
    if (exception.empty()) exception = found.exception;
    all_zero = all_zero && found.all_zero;
    residual = std::max(residual, found.residual);
    outcome = std::move(found);
    return outcome.equal;
  };
  const auto at_places = [&](int places, int trial) {
    narrowed.choose(places, seed_);
    return add(compare_at(left, right, part_.trial(seed_, trial, kSmall), ""));
  };
  for (int trial = 0; trial < trials_ && outcome.equal; ++trial) {
    at_places(trial, trial);
    if (!approximate) continue;
    const auto finer = outcome_of(sides(left, right, part_.trial(seed_, trial, kSmaller)), "");
    outcome.equal = outcome.finite && finer.finite && (finer.places == 0 || finer.most <= outcome.most * kFalls);
  }
  const auto says_nothing = [&] { return outcome.equal && all_zero && !approximate; };
  // δ(i,j) is 0 wherever i and j are not the same few numbers. The first ones are; the last ones may be.
  for (int places = 1; says_nothing() && narrowed.narrow() && places <= 2; ++places) at_places(places, 0);
  // Weights may leave no unit that is on.
  for (int trial = trials_; says_nothing() && trial < kMostDraws && read_outside(left, right); ++trial)
    at_places(trial, trial);
  if (outcome.equal && all_zero) {
    if (const auto found = read_outside(left, right)) {
      const Expr* read = *found;
      const auto name = !read ? std::string("a value")
                        : read->kind == Kind::value
                            ? part_.symbols[read->id].name
                            : str("d", part_.symbols[read->id].name, "/d", part_.symbols[read->other].name);
      throw MisfitError(read ? read->place : left.body->place,
                        str("both sides are 0 in every trial, but only because ", name,
                            " counts as 0 outside of its range; choose indices within it, which count "
                            "from 0"));
    }
  }
  if (outcome.equal && !approximate) {
    auto& draw = part_.trial(seed_, 0, kSmall);
    for (const auto& [values, point] : mirrored(part_, draw, left.body, right.body)) {
      if (!add(compare_at(left, right, *draw.with(values), point))) break;
    }
  }
  const bool cornered = has_corners(*left.body, part_.symbols) || has_corners(*right.body, part_.symbols);
  const auto free =
      outcome.equal && !approximate && cornered ? moving(part_.symbols, left.body, right.body) : std::vector<int>();
  if (!free.empty()) {
    const auto draw = part_.trial(seed_, 0, kSmall).with({}), other = part_.trial(seed_, trials_, kSmall).with({});
    std::int64_t work = 0;
    for (const auto& [values, point] : corners(part_, free, *draw, *other, left.body, right.body)) {
      const auto there = draw->with(values);
      const bool random_zero = all_zero;
      if (!add(compare_at(left, right, *there, point))) break;
      all_zero = random_zero;
      work += there->spent();
      if (work > kMostWorkAtCorners) break;
    }
  }
  outcome.all_zero = all_zero;
  outcome.residual = residual;
  outcome.remark = remark;
  outcome.exception = exception;
  return outcome;
}

bool Judge::same(const Indexed& left, const Indexed& right, Values& values) const {
  const Narrowed narrowed(part_, left, right);
  return outcome_of(sides(left, right, values), "").equal;
}

/// At one draw. `point` is empty for a random one; else what it is, and what is no number there does not count.
Outcome Judge::compare_at(const Indexed& left, const Indexed& right, Values& values, const std::string& point) {
  auto now = sides(left, right, values);
  Outcome kinks;
  if (values.kinked) {
    const auto from = [&](int side) {
      const auto moved = values.with({});
      moved->rules.side = side;
      return sides(left, right, *moved);
    };
    excuse(now, from(-1), from(1), point, kinks);
  }
  for (std::size_t i = 0; !point.empty() && i < now.left.size(); ++i) {
    if (!std::isfinite(now.left[i]) || !std::isfinite(now.right[i])) now.left[i] = now.right[i] = 0;
  }
  auto outcome = outcome_of(now, point);
  outcome.exception = kinks.exception;
  outcome.remark = kinks.remark;
  outcome.slopes = kinks.slopes;
  outcome.all_zero = outcome.all_zero && kinks.exception.empty() && kinks.remark.empty();
  return outcome;
}

/// At a kink: a place where both sides have the same slopes is as good as equal. So is one where a side's slopes have
/// the other side between them, but that is an exception.
void Judge::excuse(Sides& now, const Sides& below, const Sides& above, const std::string& point, Outcome& found) {
  for (std::size_t i = 0; i < now.left.size(); ++i) {
    const double tolerance = kTolerance * std::max({now.magnitude, below.magnitude, above.magnitude});
    if (std::abs(now.left[i] - now.right[i]) <= tolerance) continue;
    const auto [l0, l1] = std::minmax(below.left[i], above.left[i]);
    const auto [r0, r1] = std::minmax(below.right[i], above.right[i]);
    const bool same =
        std::abs(below.left[i] - below.right[i]) <= tolerance && std::abs(above.left[i] - above.right[i]) <= tolerance;
    const bool between = l0 <= r1 + tolerance && r0 <= l1 + tolerance;
    const bool kink = l1 - l0 > tolerance || r1 - r0 > tolerance;
    const auto say = [&](std::string& to, std::string_view begin, std::string_view end) {
      if (!to.empty()) return;
      const auto where = place_of(i, now.axes, point);
      to = str(begin,
               begin.empty()   ? ""
               : where.empty() ? " here: "
                               : where + ": ",
               "the left side ", slopes(now.left[i], below.left[i], above.left[i], tolerance), "; the right side ",
               slopes(now.right[i], below.right[i], above.right[i], tolerance), end);
    };
    if (same) {
      say(found.remark, "equal by its slopes", "");
    } else if (between) {
      say(found.exception, "true, except", "; that is between the slopes");
    } else {
      if (kink) say(found.slopes, "", "; that is not between the slopes");
      continue;
    }
    now.right[i] = now.left[i];
  }
}

/// If both sides are 0, but would not be with other numbers outside of ranges, the equation says nothing: then what is
/// read there first, or null if a definition reads it.
std::optional<const Expr*> Judge::read_outside(const Indexed& left, const Indexed& right) {
  constexpr double kAnyNumber = 0.7;
  Trial& other = part_.trial(seed_, 0, kSmall);
  const CountedOutside counted(other, kAnyNumber);
  if (outcome_of(sides(left, right, other), "").all_zero) return std::nullopt;
  Evaluator evaluator(part_.symbols, part_.indices, other);
  evaluator.run(left.body);
  evaluator.run(right.body);
  return evaluator.outside();
}

Judge::Sides Judge::sides(const Indexed& left, const Indexed& right, Values& values) const {
  Evaluator evaluator(part_.symbols, part_.indices, values);
  const Array a = evaluator.run(left.body), b = evaluator.run(right.body);
  std::vector<int> axes;
  std::set_union(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(), std::back_inserter(axes));
  return {axes, spread(a, axes, part_.indices), spread(b, axes, part_.indices), evaluator.magnitude()};
}

Outcome Judge::outcome_of(const Sides& sides, const std::string& point) const {
  const auto &l = sides.left, &r = sides.right;
  const double tolerance = kTolerance * sides.magnitude;
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
    if (finite && difference <= tolerance) {
      if (difference > 0) o.residual = std::max(o.residual, difference / sides.magnitude);
      continue;
    }
    if (o.places++ == 0 || (!finite && o.finite)) {
      o.left = l[i], o.right = r[i];
      o.where = place_of(i, sides.axes, point);
    }
    o.finite = o.finite && finite;
    o.most = std::max(o.most, difference);
  }
  o.equal = o.places == 0;
  if (constant && ratio != 0) o.factor = ratio;
  return o;
}

/// "at d=0, e=3", or "at [0,3]" for the axes of vectors and matrices; "where u=0", the point.
std::string Judge::place_of(std::size_t i, const std::vector<int>& axes, const std::string& point) const {
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
  return str(text.empty() ? "" : named ? " at " + text : " at [" + text + "]", point.empty() ? "" : " where " + point);
}

std::string Judge::explain(const Indexed& left, const Indexed& right, const Outcome& c, bool approximate) {
  auto text = str("left is ", shown(c.left), ", right is ", shown(c.right), c.where);
  if (!c.finite) {
    return text +
           ": not a number, as of a logarithm of 0 or less, or a division by 0; choose what values are drawn "
           "from (NAME in 0.1..1)";
  }
  if (!c.slopes.empty()) return str(text, ": ", c.slopes);
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
