// Where the functions of an equation have corners: random numbers seldom lead there, so they are searched for.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/math/part.h"

namespace chalk::math {

/// Numbers for some of the values that nothing computes.
struct Corner {
  std::vector<std::pair<int, std::vector<double>>> values;
  std::string point;  // "u=0, a=0.25": those of them that can be shown
};

/// Corners of both formulas: at 0, −0 and the numbers that occur in them, with equal values, and wherever a function
/// changes sides between two draws. A network's values stay as they are drawn, and what they follow from.
/// `moving` are the others.
std::vector<Corner> corners(Part& part, std::vector<int> moving, Values& draw, Values& other, const ExprPtr& left,
                            const ExprPtr& right);
std::vector<int> moving(const Symbols& symbols, const ExprPtr& left, const ExprPtr& right);

/// "0.25", in six digits.
std::string shown(double value);

}  // namespace chalk::math
