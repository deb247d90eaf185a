#include "src/math/evaluate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostElementsOfArray = std::int64_t{1} << 24;   // of one array: 128 MB
constexpr std::int64_t kMostWorkOfComparison = std::int64_t{1} << 26;  // numbers computed: a second or less
constexpr std::int64_t kWorkOfNumber = 64;  // what computing a single number costs in addition
constexpr std::size_t kMostKept = std::size_t{1} << 24;
constexpr std::int64_t kMostWorkAside = std::int64_t{1} << 24;  // at corners, in addition
constexpr std::size_t kMostDistances = 256;
constexpr double kRounding = 1e-14;  // so near to a corner, the same function written differently may be at it
constexpr double kSameLimit = 1e-9;  // of the largest magnitude that came up

/// For each of `axes`, how far apart its neighbours are in `a`; 0 if `a` does not have it.
std::vector<std::int64_t> strides(const Array& a, const std::vector<int>& axes) {
  std::vector<std::int64_t> found(axes.size(), 0);
  std::int64_t stride = 1;
  for (auto k = a.axes.size(); k-- > 0; stride *= a.extents[k]) {
    const auto place = std::find(axes.begin(), axes.end(), a.axes[k]);
    if (place != axes.end()) found[static_cast<std::size_t>(place - axes.begin())] = stride;
  }
  return found;
}

/// Calls f with the offsets into several arrays, for every combination of indices in order.
template <std::size_t N, class F>
void walk(const std::vector<std::int64_t>& extents, const std::array<std::vector<std::int64_t>, N>& steps, F f) {
  std::array<std::int64_t, N> offset{};
  if (extents.empty()) return f(offset);
  const auto last = extents.size() - 1;
  std::array<std::int64_t, N> step;
  for (std::size_t n = 0; n < N; ++n) step[n] = steps[n][last];
  std::vector<std::int64_t> at(extents.size(), 0);
  for (;;) {
    for (std::int64_t k = 0; k < extents[last]; ++k) {
      f(offset);
      for (std::size_t n = 0; n < N; ++n) offset[n] += step[n];
    }
    for (std::size_t n = 0; n < N; ++n) offset[n] -= step[n] * extents[last];
    auto axis = last;
    for (;;) {
      if (axis-- == 0) return;
      for (std::size_t n = 0; n < N; ++n) offset[n] += steps[n][axis];
      if (++at[axis] < extents[axis]) break;
      for (std::size_t n = 0; n < N; ++n) offset[n] -= steps[n][axis] * extents[axis];
      at[axis] = 0;
    }
  }
}

std::vector<int> united(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace

void Values::spend(std::int64_t numbers, Place place) {
  spent_ += numbers;
  if (spent_ > kMostWorkOfComparison)
    throw FormulaError(place, "this takes too long to compute; use smaller shapes and ranges");
}

Array Evaluator::run(const ExprPtr& e) {
  auto result = compute(e);
  shared_.clear();
  kept_ = 0;
  return result;
}

std::vector<std::int64_t> Evaluator::extents_of(const std::vector<int>& axes) const {
  std::vector<std::int64_t> extents(axes.size());
  std::ranges::transform(axes, extents.begin(), [&](int axis) { return extent(axis); });
  return extents;
}

Array Evaluator::empty(std::vector<int> axes, Place place) {
  Array a;
  a.axes = std::move(axes);
  std::int64_t size = 1;
  for (const int axis : a.axes) {
    a.extents.push_back(extent(axis));
    if (a.extents.back() > kMostElementsOfArray / size) {
      throw FormulaError(place,
                         str("this has more than ", grouped(static_cast<std::uint64_t>(kMostElementsOfArray)),
                             " terms at once; put each sum around as little as possible, or use smaller shapes"));
    }
    size *= a.extents.back();
  }
  values_.spend(size, place);
  a.data.assign(static_cast<std::size_t>(size), 0.0);
  return a;
}

template <class F>
Array Evaluator::binary(const Expr& e, const Array& a, const Array& b, F f) {
  Array y = empty(united(a.axes, b.axes), e.place);
  std::size_t i = 0;
  if (a.axes == y.axes && b.axes == y.axes) {
    for (; i < y.data.size(); ++i) y.data[i] = f(a.data[i], b.data[i]);
  } else {
    walk(y.extents, std::array{strides(a, y.axes), strides(b, y.axes)}, [&](const auto& at) {
      y.data[i++] = f(a.data[static_cast<std::size_t>(at[0])], b.data[static_cast<std::size_t>(at[1])]);
    });
  }
  for (const double v : y.data) {
    if (std::isfinite(v)) magnitude_ = std::max(magnitude_, std::abs(v));
  }
  return y;
}

template <class F>
Array Evaluator::unary(const Expr& e, Array a, F f) {
  values_.spend(static_cast<std::int64_t>(a.data.size()), e.place);
  for (auto& v : a.data) {
    v = f(v);
    if (std::isfinite(v)) magnitude_ = std::max(magnitude_, std::abs(v));
  }
  return a;
}

Evaluator::Range Evaluator::range(int id) const {
  for (const auto& [index, range] : narrowed_) {
    if (index == id) return range;
  }
  return *indices_[id].range;
}

std::int64_t Evaluator::extent(int id) const {
  const auto [first, last] = range(id);
  return last - first + 1;
}

void Evaluator::narrow_to(std::vector<std::pair<int, Range>> narrowed) {
  std::erase_if(shared_, [&](const auto& each) {
    const auto over = [&](const auto& one) {
      return std::find(each.second.axes.begin(), each.second.axes.end(), one.first) != each.second.axes.end();
    };
    return std::any_of(narrowed.begin(), narrowed.end(), over) || std::any_of(narrowed_.begin(), narrowed_.end(), over);
  });
  narrowed_ = std::move(narrowed);
}

namespace {

/// The deltas that are factors of the formula; false if values change in it, so that it has evaluators of its own.
bool deltas_of(const ExprPtr& e, std::vector<ExprPtr>& found) {
  switch (e->kind) {
    case Kind::delta:
      found.push_back(e);
      return true;
    case Kind::multiply:
      return deltas_of(e->args[0], found) && deltas_of(e->args[1], found);
    case Kind::negate:
    case Kind::divide:
      return deltas_of(e->args[0], found);
    default:
      return e->kind != Kind::at && e->kind != Kind::limit;
  }
}

bool has_own_evaluators(const Expr& e) {
  return e.kind == Kind::at || e.kind == Kind::limit ||
         std::any_of(e.args.begin(), e.args.end(), [](const auto& arg) { return has_own_evaluators(*arg); });
}

}  // namespace

/// Indices that are bound here have all of their range again; then, of Σ δ(i,j)·f(i), terms for which a delta among the
/// factors is 0, whatever the indices outside, are not computed.
void Evaluator::narrow(const Expr& e) {
  auto narrowed = narrowed_;
  const auto bound_here = [&](const auto& each) {
    return std::any_of(e.bounds.begin(), e.bounds.end(), [&](const Bound& bound) { return bound.id == each.first; });
  };
  if (std::erase_if(narrowed, bound_here) > 0) narrow_to(narrowed);
  std::vector<ExprPtr> deltas;
  if (e.reduction != Reduction::sum || !deltas_of(e.args[0], deltas) || deltas.empty() ||
      has_own_evaluators(*e.args[0]))
    return;
  for (const auto& bound : e.bounds) {
    const auto whole = range(bound.id);
    auto kept = whole;
    for (const auto& each : deltas) {
      const auto delta = compute(each);
      const auto axis = std::find(delta.axes.begin(), delta.axes.end(), bound.id) - delta.axes.begin();
      if (axis == std::ssize(delta.axes)) continue;
      std::int64_t step = 1;
      for (auto k = std::ssize(delta.axes); --k > axis;) step *= delta.extents[static_cast<std::size_t>(k)];
      const auto extent = delta.extents[static_cast<std::size_t>(axis)];
      Range hit{whole.second + 1, whole.first - 1};
      for (std::int64_t i = 0; i < std::ssize(delta.data); ++i) {
        if (delta.data[static_cast<std::size_t>(i)] == 0) continue;
        const auto at = whole.first + i / step % extent;
        hit = {std::min(hit.first, at), std::max(hit.second, at)};
      }
      kept = {std::max(kept.first, hit.first), std::min(kept.second, hit.second)};
    }
    if (kept.second < kept.first) kept = {whole.first, whole.first};  // there is no such term: one that is 0
    if (kept == whole) continue;
    narrowed = narrowed_;
    narrowed.emplace_back(bound.id, kept);
    narrow_to(std::move(narrowed));
  }
}

Array Evaluator::index(int id) const {
  Array a;
  for (const auto& [fixed, at] : fixed_) {
    if (fixed != id) continue;
    a.data = {static_cast<double>(at)};
    return a;
  }
  const auto [first, last] = range(id);
  a.axes = {id};
  a.extents = {last - first + 1};
  a.data.clear();
  for (auto v = first; v <= last; ++v) a.data.push_back(static_cast<double>(v));
  return a;
}

/// Deep trees are walked here alone, and little is kept on the stack: so apply is not to be inlined.
Array Evaluator::compute(const ExprPtr& e) {
  const bool several = e.use_count() > 1 && !e->args.empty();
  if (several) {
    if (const auto found = shared_.find(e.get()); found != shared_.end()) return found->second;
  }
  values_.spend(kWorkOfNumber, e->place);
  const auto narrowed = narrowed_;
  if (e->kind == Kind::reduce && !e->bounds.empty()) narrow(*e);
  std::vector<Array> args;
  if (e->kind != Kind::at && e->kind != Kind::limit) {
    args.reserve(e->args.size());
    for (const auto& arg : e->args) args.push_back(compute(arg));
  }
  Array y = apply(*e, args);
  if (narrowed_ != narrowed) narrow_to(narrowed);
  if (several && y.data.size() <= kMostKept - kept_) {
    kept_ += y.data.size();
    shared_.emplace(e.get(), y);
  }
  return y;
}

Array Evaluator::apply(const Expr& e, const std::vector<Array>& args) {
  const auto with = [&](auto f) { return binary(e, args[0], args[1], f); };
  switch (e.kind) {
    case Kind::number: {
      Array y;
      y.data = {e.number};
      magnitude_ = std::max(magnitude_, std::abs(e.number));
      return y;
    }
    case Kind::index: {
      Array y = index(e.id);
      values_.spend(static_cast<std::int64_t>(y.data.size()), e.place);
      return y;
    }
    case Kind::value:
      return gather(e, args, values_.value(e.id, e.place), symbols_[e.id].extents);
    case Kind::jacobian: {
      auto extents = symbols_[e.id].extents;
      const auto& others = symbols_[e.other].extents;
      extents.insert(extents.end(), others.begin(), others.end());
      if (e.third >= 0) {
        const auto& thirds = symbols_[e.third].extents;
        extents.insert(extents.end(), thirds.begin(), thirds.end());
        return gather(e, args, values_.hessian(e.id, e.other, e.third, e.place), extents);
      }
      return gather(e, args, values_.jacobian(e.id, e.other, e.place), extents);
    }
    case Kind::negate:
      return unary(e, args[0], [](double v) { return -v; });
    case Kind::add:
      return with([](double a, double b) { return a + b; });
    case Kind::subtract:
      return with([](double a, double b) { return a - b; });
    case Kind::multiply:
      return with([](double a, double b) { return a * b; });
    case Kind::divide:
      return with([](double a, double b) { return a / b; });
    case Kind::power:
      return with([](double a, double b) { return std::pow(a, b); });
    case Kind::delta:
      return with([](double a, double b) { return a == b ? 1.0 : 0.0; });
    case Kind::compare:
      return with([&](double a, double b) {
        corner(a - b);
        return holds(e.comparison, a, b) ? 1.0 : 0.0;
      });
    case Kind::call:
      return unary(e, args[0], [&, cornered = has_corner(e.name)](double v) {
        if (cornered) corner(v);
        return apply_builtin(e.name, v);
      });
    case Kind::reduce:
      return reduce(e, args);
    case Kind::at:
      return at(e);
    case Kind::limit:
      return limit(e);
    default:
      throw FormulaError(e.place, "this cannot be computed");
  }
}

/// data[args…], or Values::outside() where an index is.
Array Evaluator::gather(const Expr& e, const std::vector<Array>& at, const std::vector<double>& data,
                        const std::vector<std::int64_t>& extents) {
  std::vector<int> axes;
  for (const auto& each : at) axes = united(axes, each.axes);
  Array y = empty(axes, e.place);
  // The place in data, and whether it is inside, axis by axis.
  std::vector<std::int64_t> offset(y.data.size(), 0);
  for (std::size_t k = 0; k < at.size(); ++k) {
    std::size_t i = 0;
    walk(y.extents, std::array{strides(at[k], y.axes)}, [&](const auto& step) {
      const double v = at[k].data[static_cast<std::size_t>(step[0])];
      const bool within = v >= 0 && v < static_cast<double>(extents[k]);
      const auto index = within ? static_cast<std::int64_t>(v) : 0;
      auto& to = offset[i++];
      to = within && static_cast<double>(index) == v && to >= 0 ? to * extents[k] + index : -1;
    });
  }
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    if (offset[i] < 0 && !outside_) outside_ = &e;
    y.data[i] = offset[i] < 0 ? values_.rules.outside : data[static_cast<std::size_t>(offset[i])];
    if (std::isfinite(y.data[i])) magnitude_ = std::max(magnitude_, std::abs(y.data[i]));
  }
  return y;
}

Array Evaluator::reduce(const Expr& e, const std::vector<Array>& args) {
  if (e.bounds.empty()) {  // max(a, b)
    const bool max = e.reduction == Reduction::maximum;
    return binary(e, args[0], args[1], [&](double a, double b) {
      if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
      corner(a - b);
      return (max ? a >= b : a <= b) ? a : b;
    });
  }
  const Array& x = args[0];
  std::vector<int> kept = x.axes, order;
  for (const auto& bound : e.bounds) {
    std::erase(kept, bound.id);
    order.push_back(bound.id);
  }
  Array y = empty(kept, e.place);
  auto all = kept;
  all.insert(all.end(), order.begin(), order.end());
  std::vector<std::int64_t> extents = y.extents;
  std::int64_t group = 1;
  for (const int id : order) {
    extents.push_back(extent(id));
    group *= extents.back();
    if (group > kMostElementsOfArray) throw FormulaError(e.place, "this runs over too many terms; use smaller ranges");
  }
  const bool product = e.reduction == Reduction::product;
  const double sign = e.reduction == Reduction::minimum ? -1 : 1;
  const bool argmax = e.reduction == Reduction::argmax;
  std::int64_t n = -1;   // the term of its sum
  std::size_t next = 0;  // and which sum that is
  double best = 0;
  values_.spend(group * static_cast<std::int64_t>(y.data.size()), e.place);
  walk(extents, std::array{strides(x, all)}, [&](const auto& at) {
    const double v = x.data[static_cast<std::size_t>(at[0])];
    if (++n == group) n = 0, ++next;
    auto& to = y.data[next];
    const bool first = n == 0;
    if (e.reduction == Reduction::sum) {
      to += v;
    } else if (product) {
      to = first ? v : to * v;
    } else if (first || sign * v > sign * best || std::isnan(v)) {
      if (first || !std::isnan(best)) {
        best = v;
        to = argmax ? static_cast<double>(n) : v;
      }
    } else if (v == best) {
      tied_ = true;
    }
  });
  for (const double v : y.data) {
    if (std::isfinite(v)) magnitude_ = std::max(magnitude_, std::abs(v));
  }
  return y;
}

/// Evaluates the formula again with replaced values; once for each combination of the indices that these depend on.
Array Evaluator::at(const Expr& e) {
  struct Change {
    int symbol;
    std::vector<int> axes;
    Array becomes;
  };
  std::vector<Change> changes;
  std::vector<int> outer;
  for (std::size_t k = 1; k + 1 < e.args.size(); k += 2) {
    Change change{e.args[k]->id, {}, compute(e.args[k + 1])};
    for (const auto& axis : e.args[k]->args) change.axes.push_back(axis->id);
    for (const int axis : change.becomes.axes) {
      if (std::find(change.axes.begin(), change.axes.end(), axis) == change.axes.end() &&
          std::find(outer.begin(), outer.end(), axis) == outer.end())
        outer.push_back(axis);
    }
    changes.push_back(std::move(change));
  }
  std::sort(outer.begin(), outer.end());
  Array over = empty(outer, e.place);
  std::vector<Array> parts;
  std::vector<std::int64_t> at(outer.size(), 0);
  for (std::size_t i = 0; i < over.data.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    for (auto k = outer.size(); k-- > 0; rest /= over.extents[k]) at[k] = rest % over.extents[k];
    std::vector<std::pair<int, std::vector<double>>> replaced;
    for (const auto& change : changes) values_.spend(static_cast<std::int64_t>(change.becomes.data.size()), e.place);
    for (const auto& change : changes) {
      auto axes = outer;
      axes.insert(axes.end(), change.axes.begin(), change.axes.end());
      const auto whole = spread(change.becomes, axes, indices_);
      const auto size = whole.size() / over.data.size();
      replaced.emplace_back(change.symbol,
                            std::vector<double>(whole.begin() + static_cast<std::ptrdiff_t>(i * size),
                                                whole.begin() + static_cast<std::ptrdiff_t>((i + 1) * size)));
    }
    const auto changed = values_.with(replaced);
    Evaluator inner(symbols_, indices_, *changed);
    inner.fixed_ = fixed_;
    inner.narrowed_ = narrowed_;
    for (std::size_t k = 0; k < outer.size(); ++k)
      inner.fixed_.emplace_back(outer[k], indices_[outer[k]].range->first + at[k]);
    changed->spent(values_.spent());
    parts.push_back(inner.run(e.args[0]));
    values_.spent(changed->spent());
    merge(inner);
  }
  if (outer.empty()) return parts[0];
  // Each part is over the same axes; put the outer ones among them.
  auto axes = parts[0].axes;
  Array y = empty(united(axes, outer), e.place);
  auto order = outer;
  order.insert(order.end(), axes.begin(), axes.end());
  Array joined = y;
  joined.axes = order;
  joined.data.clear();
  for (const auto& part : parts) joined.data.insert(joined.data.end(), part.data.begin(), part.data.end());
  joined.extents = extents_of(order);
  y.data = spread(joined, y.axes, indices_);
  return y;
}

void Evaluator::corner(double distance) {
  if (std::abs(distance) <= kRounding * std::max(1.0, magnitude_)) tied_ = true;
  if (distances_ && distances_->size() < kMostDistances) distances_->push_back(distance);
}

void Evaluator::merge(const Evaluator& inner) {
  magnitude_ = std::max(magnitude_, inner.magnitude_);
  if (!outside_) outside_ = inner.outside_;
  tied_ = tied_ || inner.tied_;
}

namespace {

/// The limit at 0 of a function that is smooth beside it, from its values at 1, 2 and 3 steps: their parabola's.
double limit_of(double one, double two, double three) { return 3 * (one - two) + three; }

}  // namespace

/// A derivative. At a corner of some function it is the limit from the left and the right, whatever the conventions of
/// the operations add up to; where these differ there is none, and what they add up to stands for it.
Array Evaluator::limit(const Expr& e) {
  const auto begin = values_.spent();
  Evaluator inner(symbols_, indices_, values_);
  inner.fixed_ = fixed_;
  inner.narrowed_ = narrowed_;
  inner.distances_ = distances_;
  Array y = inner.run(e.args[0]);
  merge(inner);
  if (distances_ || !(inner.tied_ || values_.tied)) return y;
  // One evaluation for each step or, in at(…), for each step of each number. Where that is too much, conventions stand.
  const auto spent = values_.spent();
  const auto times = (2 * kSteps + 1) * (e.args[1]->kind == Kind::at ? static_cast<std::int64_t>(y.data.size()) : 1);
  if (spent - begin > (kMostWorkAside - values_.spent_aside) / times) return y;
  Evaluator other(symbols_, indices_, values_);
  other.fixed_ = fixed_;
  other.narrowed_ = narrowed_;
  Array aside;
  values_.spent(0);
  try {
    aside = other.run(e.args[1]);
  } catch (const FormulaError&) {
    values_.spent_aside = kMostWorkAside;
  }
  values_.spent_aside += values_.spent();
  values_.spent(spent);
  if (values_.spent_aside >= kMostWorkAside) return y;
  magnitude_ = std::max(magnitude_, other.magnitude_);
  auto axes = united(y.axes, aside.axes);
  std::erase(axes, e.id);
  y = {axes, extents_of(axes), spread(y, axes, indices_)};
  axes.push_back(e.id);
  aside.data = spread(aside, axes, indices_);
  const double tolerance = kSameLimit * std::max(inner.magnitude_, other.magnitude_);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const double* at = &aside.data[i * (2 * kSteps + 1) + kSteps];  // 0 steps aside
    const double left = limit_of(at[-1], at[-2], at[-3]), right = limit_of(at[1], at[2], at[3]);
    if (!std::isfinite(left) || !std::isfinite(right)) continue;
    if (std::abs(left - right) > tolerance) {
      values_.kinked = true;
      if (values_.rules.side != 0) y.data[i] = values_.rules.side < 0 ? left : right;
    } else if (!(std::abs(y.data[i] - left) <= tolerance)) {
      y.data[i] = (left + right) / 2;
    }
  }
  return y;
}

std::vector<double> spread(const Array& a, const std::vector<int>& axes, const Indices& indices) {
  std::vector<std::int64_t> extents;
  std::size_t size = 1;
  for (const int axis : axes) {
    extents.push_back(indices[axis].extent());
    size *= static_cast<std::size_t>(extents.back());
  }
  std::vector<double> y;
  y.reserve(size);
  walk(extents, std::array{strides(a, axes)},
       [&](const auto& at) { y.push_back(a.data[static_cast<std::size_t>(at[0])]); });
  return y;
}

}  // namespace chalk::math
