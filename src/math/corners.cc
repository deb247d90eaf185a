#include "src/math/corners.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr std::size_t kMostCorners = 48, kMostNumbers = 6, kMostFound = 6, kMostShown = 4;
constexpr std::int64_t kMostWork = std::int64_t{1} << 23;  // numbers computed in search of corners
constexpr int kParts = 8, kHalvings = 60;

class Search {
 public:
  Search(Part& part, Values& draw, Values& other, const ExprPtr& left, const ExprPtr& right)
      : part_(part), draw_(draw), other_(other), left_(left), right_(right) {
    auto all = mentioned(*left);
    all.merge(mentioned(*right));
    all = part.symbols.with_all_before(all);
    for (const int id : all) {
      const auto& symbol = part.symbols[id];
      const auto& domain = symbol.domain;
      const bool moves = symbol.kind == Symbol::Kind::drawn && !domain.distribution && !domain.one_hot && !domain.small;
      const bool drives = std::ranges::any_of(all, [&](int value) {
        return part.symbols[value].kind == Symbol::Kind::computed && part.symbols.depends(value, id);
      });
      if (moves && !drives) ids_.push_back(id);
    }
  }

  std::vector<Corner> run() {
    if (ids_.empty()) return {};
    std::vector<double> numbers{0, -0.0};
    for (const double number : numbers_in(*left_, *right_, part_.symbols)) {
      if (numbers.size() < 2 + 2 * kMostNumbers) numbers.insert(numbers.end(), {number, -number});
    }
    for (const double number : numbers) add([&](int) { return number; }, ids_);
    add([&](int) { return draw_.value(ids_.front(), {}).front(); }, ids_);
    for (const int id : ids_) {
      if (ids_.size() == 1) break;
      for (const double number : numbers) add([&](int) { return number; }, {id});
    }
    along_lines();
    return std::move(found_);
  }

 private:
  const Domain& domain(int id) const { return part_.symbols[id].domain; }

  /// All numbers of these values are what `number(id)` says, as far as they may be; the others are as drawn.
  template <class F>
  void add(F number, const std::vector<int>& ids) {
    if (found_.size() == kMostCorners) return;
    Corner corner;
    for (const int id : ids) {
      const double v = number(id);
      if (domain(id).chosen && !(v >= domain(id).low && v <= domain(id).high)) continue;
      corner.values.emplace_back(id, std::vector<double>(draw_.value(id, {}).size(), v));
    }
    if (!corner.values.empty()) keep(std::move(corner));
  }

  void keep(Corner corner) {
    std::size_t shown_values = 0;
    for (const auto& [id, values] : corner.values) {
      const bool same = std::ranges::all_of(values, [&](double v) { return v == values.front(); });
      if (!same || ++shown_values > kMostShown) continue;
      corner.point += str(corner.point.empty() ? "" : ", ", part_.symbols[id].name, "=", shown(values.front()));
    }
    found_.push_back(std::move(corner));
  }

  /// Towards the other draw, and with each value alone through its domain.
  void along_lines() {
    along([&](int id, double part, std::vector<double>& values) {
      const auto& to = other_.value(id, {});
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = (1 - part) * values[i] + part * to[i];
    });
    for (const int moved : ids_) {
      const double low = domain(moved).low, high = domain(moved).high;
      along([=](int id, double part, std::vector<double>& values) {
        if (id == moved) std::ranges::fill(values, (1 - part) * low + part * high);
      });
    }
  }

  template <class Move>
  void along(Move move) {
    const auto place = [&](double part) {
      Corner corner;
      for (const int id : ids_) {
        corner.values.emplace_back(id, draw_.value(id, {}));
        move(id, part, corner.values.back().second);
      }
      return corner;
    };
    const auto most = std::min(kMostCorners, found_.size() + kMostFound);
    auto before = distances(place(0));
    for (int k = 1; k <= kParts; ++k) {
      const double low = static_cast<double>(k - 1) / kParts, high = static_cast<double>(k) / kParts;
      if (spent_ > kMostWork) return;
      const auto after = distances(place(high));
      for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
        if (found_.size() >= most || spent_ > kMostWork) return;
        if (after[i] == 0 && before[i] != 0) keep(place(high));
        if (before[i] * after[i] < 0) halve(i, before[i], place(low), place(high));
      }
      before = after;
    }
  }

  /// To where function i is at its corner exactly, if doubles have that place.
  void halve(std::size_t i, double at_low, Corner low, Corner high) {
    for (int n = 0; n < kHalvings; ++n) {
      Corner middle = low;
      for (std::size_t k = 0; k < low.values.size(); ++k) {
        auto& values = middle.values[k].second;
        for (std::size_t v = 0; v < values.size(); ++v) values[v] += (high.values[k].second[v] - values[v]) / 2;
      }
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
  Values &draw_, &other_;
  const ExprPtr &left_, &right_;
  std::vector<int> ids_;
  std::vector<Corner> found_;
  std::int64_t spent_ = 0;
};

}  // namespace

std::vector<Corner> corners(Part& part, Values& draw, Values& other, const ExprPtr& left, const ExprPtr& right) {
  return Search(part, draw, other, left, right).run();
}

std::string shown(double value) {
  if (std::isnan(value)) return "nan";  // which may have a sign
  TextStream out;
  out.precision(6);
  out << value + 0.0;  // and so does −0
  return out.str();
}

}  // namespace chalk::math
