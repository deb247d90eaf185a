// Whether two formulas are the same, tried on random numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/math/elaborate.h"
#include "src/math/part.h"

namespace chalk::math {

/// How two sides compare.
struct Outcome {
  bool equal = true;
  bool finite = true;    // false: one of them is not a number somewhere
  bool all_zero = true;  // both are 0 everywhere, which says little
  std::string where{};   // the first place where they differ: " at d=0, e=3"
  double left = 0, right = 0;
  double most = 0;                 // the largest difference
  double residual = 0;             // of those that count as equal, by the largest number that came up
  std::size_t places = 0, of = 0;  // how many differ
  std::optional<double> factor{};  // left = factor · right everywhere
  std::string exception{};         // equal, but not at a kink by convention: "true, except where u=0: …"
  std::string remark{};            // equal at a kink by slopes, but not by convention
  std::string slopes{};            // not equal at a kink
};

class Judge {
 public:
  Judge(Part& part, std::uint64_t seed, int trials) : part_(part), seed_(seed), trials_(trials) {}

  /// Over all values of the free indices, in each trial until one differs, and at corners of their functions.
  /// `approximate`: to first order in what was declared small. Axes of vectors must be aligned. Throws FormulaError;
  /// MisfitError if both sides are 0 only because of what is outside of ranges.
  Outcome compare(const Indexed& left, const Indexed& right, bool approximate);

  /// Whether they are equal at one draw; conventions count at corners.
  bool same(const Indexed& left, const Indexed& right, Values& values) const;

  /// Why they are not equal, in words.
  std::string explain(const Indexed& left, const Indexed& right, const Outcome& outcome, bool approximate);

  /// Indices that the formula depends on. Shows by the way that it has a value at all.
  std::vector<int> free_indices(const Indexed& side);

 private:
  /// Both sides in numbers, over the same indices.
  struct Sides {
    std::vector<int> axes;
    std::vector<double> left, right;
    double magnitude;
  };
  Sides sides(const Indexed& left, const Indexed& right, Values& values) const;
  Outcome outcome_of(const Sides& sides, const std::string& point) const;
  Outcome compare_at(const Indexed& left, const Indexed& right, Values& values, const std::string& point);
  void excuse(Sides& now, const Sides& below, const Sides& above, const std::string& point, Outcome& found);
  std::optional<const Expr*> read_outside(const Indexed& left, const Indexed& right);
  class Narrowed;
  std::string place_of(std::size_t i, const std::vector<int>& axes, const std::string& point) const;

  Part& part_;
  std::uint64_t seed_;
  int trials_;
};

}  // namespace chalk::math
