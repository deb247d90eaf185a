// Numbers for formulas in index form, in double. A formula's value is an array over its free indices; each node is
// computed for all of them at once. Shares no code with the kernels: a formula judges a network from outside.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/math/expr.h"
#include "src/math/symbols.h"

namespace chalk::math {

/// Values over indices: `axes` are index ids, increasing; the last varies fastest.
struct Array {
  std::vector<int> axes{};
  std::vector<std::int64_t> extents{};
  std::vector<double> data{0};
};

/// The numbers behind values.
class Values {
 public:
  virtual ~Values() = default;
  /// Over all axes of the value, row-major.
  virtual const std::vector<double>& value(int symbol, Place place) = 0;
  /// d value / d other, over the axes of the first and then of the second.
  virtual const std::vector<double>& jacobian(int symbol, int other, Place place) = 0;
  /// d² value / d other d third, over the axes of all three.
  virtual const std::vector<double>& hessian(int symbol, int other, int third, Place place) = 0;
  /// The same, with some drawn values replaced.
  virtual std::unique_ptr<Values> with(const std::vector<std::pair<int, std::vector<double>>>& replaced) = 0;

  /// Counts numbers computed, of all that follows from these values. Throws FormulaError at `place` once it is
  /// unreasonable.
  void spend(std::int64_t numbers, Place place);
  std::int64_t spent() const { return spent_; }
  void spent(std::int64_t numbers) { spent_ = numbers; }

  struct Rules {
    double outside = 0;  // what values count as outside of their ranges; another number shows what follows from that
    int side = 0;        // where a derivative has two limits: −1 for the left one, 1 for the right one, 0 for neither
  };
  Rules rules;
  bool tied = false;             // a definition was at a corner of a function
  bool kinked = false;           // a derivative had two limits
  std::int64_t spent_aside = 0;  // numbers computed for limits, beside the others

 private:
  std::int64_t spent_ = 0;
};

class Evaluator {
 public:
  Evaluator(const Symbols& symbols, const Indices& indices, Values& values)
      : symbols_(symbols), indices_(indices), values_(values) {}

  /// Throws FormulaError if the work or an intermediate result would be unreasonably large.
  Array run(const ExprPtr& e);

  /// The largest magnitude that came up on the way.
  double magnitude() const { return magnitude_; }

  /// The first value that was asked for outside of its ranges; null if there was none.
  const Expr* outside() const { return outside_; }

  /// Whether some function was exactly at its corner.
  bool tied() const { return tied_; }
  /// Notes, from now on, how far each function is from its corner: 0 is at it.
  void note(std::vector<double>& distances) { distances_ = &distances; }

 private:
  using Range = std::pair<std::int64_t, std::int64_t>;  // first and last
  Array compute(const ExprPtr& e);
  Array index(int id) const;
  Range range(int id) const;
  std::int64_t extent(int id) const;
  void narrow(const Expr& reduce);
  void narrow_to(std::vector<std::pair<int, Range>> narrowed);
  [[gnu::noinline]] Array apply(const Expr& e, const std::vector<Array>& args);
  Array gather(const Expr& e, const std::vector<Array>& at, const std::vector<double>& data,
               const std::vector<std::int64_t>& extents);
  Array reduce(const Expr& e, const std::vector<Array>& args);
  Array at(const Expr& e);
  Array limit(const Expr& e);
  void corner(double distance);
  void merge(const Evaluator& inner);
  template <class F>
  Array binary(const Expr& e, const Array& a, const Array& b, F f);
  template <class F>
  Array unary(const Expr& e, Array a, F f);
  Array empty(std::vector<int> axes, Place place);
  std::vector<std::int64_t> extents_of(const std::vector<int>& axes) const;

  const Symbols& symbols_;
  const Indices& indices_;
  Values& values_;
  std::unordered_map<const Expr*, Array> shared_;    // of subtrees that occur several times,
  std::size_t kept_ = 0;                             // and how many numbers these are
  std::vector<std::pair<int, std::int64_t>> fixed_;  // indices that at(…) holds still
  std::vector<std::pair<int, Range>> narrowed_;      // indices of sums most of whose terms are 0
  double magnitude_ = 0;
  const Expr* outside_ = nullptr;
  bool tied_ = false;
  std::vector<double>* distances_ = nullptr;
};

/// Spreads an array over more axes, in the given order (not necessarily increasing).
std::vector<double> spread(const Array& a, const std::vector<int>& axes, const Indices& indices);

}  // namespace chalk::math
