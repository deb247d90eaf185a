#include "src/math/corners.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "chalkgrad/shape.h"
#include "src/base/text.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr std::size_t kMostCorners = 48, kMostNumbersOfCorner = 6, kMostFound = 6, kMostShown = 4;
constexpr std::int64_t kMostWorkOnCorners = std::int64_t{1} << 23;  // numbers computed in search of corners
constexpr std::int64_t kMostMirrored = 1024;  // of more, both sides of a corner are seen in any draw
constexpr int kParts = 8, kHalvings = 60;

class Search {
 public:
  Search(Part& part, std::vector<int> ids, Values& draw, Values& other, const ExprPtr& left, const ExprPtr& right)
      : part_(part), ids_(std::move(ids)), draw_(draw), other_(other), left_(left), right_(right) {}

  std::vector<Corner> run() {
    std::vector<double> numbers{0, -0.0};
    for (const double number : numbers_in(*left_, *right_, part_.symbols)) {
      if (numbers.size() < 2 + 2 * kMostNumbersOfCorner) numbers.insert(numbers.end(), {number, -number});
    }
    numbers.push_back(draw_.value(ids_.front(), {}).front());
    for (const double number : numbers) add(number, -1);
    for (const int id : ids_) {
      for (const double number : numbers) {
        if (ids_.size() > 1) add(number, id);
      }
    }
    along(drawn(draw_), drawn(other_));
    for (std::size_t k = 0; k < ids_.size(); ++k) {
      auto low = drawn(draw_), high = low;
      const auto& domain = part_.symbols[ids_[k]].domain;
      std::ranges::fill(low.values[k].second, domain.low);
      std::ranges::fill(high.values[k].second, domain.high);
      along(low, high);
    }
    return std::move(found_);
  }

 private:
  Corner drawn(Values& draw) const {
    Corner corner;
    for (const int id : ids_) corner.values.emplace_back(id, draw.value(id, {}));
    return corner;
  }

  /// All numbers of the value `only` or, if it is −1, of all values are this one, as far as they may be.
  void add(double number, int only) {
    auto corner = drawn(draw_);
    std::erase_if(corner.values, [&](const auto& each) {
      const auto& domain = part_.symbols[each.first].domain;
      const bool may = !domain.chosen || (number >= domain.low && number <= domain.high);
      return !may || (only >= 0 && each.first != only);
    });
    for (auto& [id, values] : corner.values) std::ranges::fill(values, number);
    if (!corner.values.empty() && found_.size() < kMostCorners) keep(std::move(corner));
  }

  void keep(Corner corner) {
    std::size_t shown_values = 0;
    for (const auto& [id, values] : corner.values) {
      const double first = values.front();
      const bool same = std::ranges::all_of(values, [first](double v) { return v == first; });
      if (!same || ++shown_values > kMostShown) continue;
      corner.point += str(corner.point.empty() ? "" : ", ", part_.symbols[id].name, "=", shown(first));
    }
    found_.push_back(std::move(corner));
  }

  static Corner between(Corner a, const Corner& b, double part) {
    for (std::size_t k = 0; k < a.values.size(); ++k) {
      auto& values = a.values[k].second;
      for (std::size_t i = 0; i < values.size(); ++i) values[i] += (b.values[k].second[i] - values[i]) * part;
    }
    return a;
  }

  void along(const Corner& from, const Corner& to) {
    const auto most = std::min(kMostCorners, found_.size() + kMostFound);
    auto low = from;
    auto before = distances(low);
    for (int k = 1; k <= kParts; ++k) {
      if (spent_ > kMostWorkOnCorners) return;
      const auto high = between(from, to, static_cast<double>(k) / kParts);
      const auto after = distances(high);
      for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
        if (found_.size() >= most || spent_ > kMostWorkOnCorners) return;
        if (after[i] == 0 && before[i] != 0) keep(high);
        if (before[i] * after[i] < 0) halve(i, before[i], low, high);
      }
      before = after;
      low = high;
    }
  }

  /// To where function i is at its corner exactly, if doubles have that place.
  void halve(std::size_t i, double at_low, Corner low, Corner high) {
    for (int n = 0; n < kHalvings; ++n) {
      auto middle = between(low, high, 0.5);
      const auto at = distances(middle);
      if (i >= at.size()) return;
      if (at[i] == 0) return keep(std::move(middle));
      (at[i] * at_low > 0 ? low : high) = std::move(middle);
    }
  }

  /// How far each function is from its corner there.
  std::vector<double> distances(const Corner& there) {
    const auto values = draw_.with(there.values);
    std::vector<double> all;
    Evaluator evaluator(part_.symbols, part_.indices, *values);
    evaluator.note(all);
    evaluator.run(left_);
    evaluator.run(right_);
    spent_ += values->spent();
    return all;
  }

  Part& part_;
  std::vector<int> ids_;
  Values &draw_, &other_;
  const ExprPtr &left_, &right_;
  std::vector<Corner> found_;
  std::int64_t spent_ = 0;
};

/// What the formulas mention, and all that it is computed from.
std::set<int> involved(const Symbols& symbols, const ExprPtr& left, const ExprPtr& right) {
  auto all = mentioned(*left);
  all.merge(mentioned(*right));
  return symbols.with_all_before(all);
}

}  // namespace

std::vector<int> moving(const Symbols& symbols, const ExprPtr& left, const ExprPtr& right) {
  const auto all = involved(symbols, left, right);
  std::vector<int> found;
  for (const int id : all) {
    const auto& symbol = symbols[id];
    const auto& domain = symbol.domain;
    const bool moves =
        symbol.kind == Symbol::Kind::drawn && !domain.distribution && !domain.one_hot && !domain.whole && !domain.small;
    const bool drives = std::ranges::any_of(
        all, [&](int value) { return symbols[value].kind == Symbol::Kind::computed && symbols.depends(value, id); });
    if (moves && !drives) found.push_back(id);
  }
  return found;
}

std::vector<Corner> mirrored(Part& part, Values& draw, const ExprPtr& left, const ExprPtr& right) {
  const auto all = involved(part.symbols, left, right);
  const bool layers = std::ranges::any_of(all, [&](int id) { return part.symbols[id].conventions != 0; });
  if (!layers && !has_corners(*left, part.symbols) && !has_corners(*right, part.symbols)) return {};
  std::vector<int> ids;
  std::int64_t numbers = 0;
  for (const int id : all) {
    const auto& symbol = part.symbols[id];
    const auto& domain = symbol.domain;
    const bool has_sides = !domain.distribution && !domain.one_hot && !domain.small && domain.zeros < 0;
    if (symbol.kind != Symbol::Kind::drawn || !has_sides) continue;
    ids.push_back(id);
    numbers += elements(symbol.extents);
  }
  if (numbers > kMostMirrored) return {};
  std::vector<Corner> found(std::min<std::size_t>(2, ids.size()));
  for (std::size_t k = 0; k < ids.size(); ++k) {
    const auto& domain = part.symbols[ids[k]].domain;
    auto values = draw.value(ids[k], {});
    for (auto& v : values) v = domain.low + domain.high - v;
    found[k % 2].values.emplace_back(ids[k], std::move(values));
  }
  return found;
}

std::vector<Corner> corners(Part& part, std::vector<int> moving, Values& draw, Values& other, const ExprPtr& left,
                            const ExprPtr& right) {
  return Search(part, std::move(moving), draw, other, left, right).run();
}

std::string shown(double value) {
  if (std::isnan(value)) return "nan";  // which may have a sign
  TextStream out;
  out.precision(6);
  out << value + 0.0;  // and so does −0
  return out.str();
}

}  // namespace chalk::math
