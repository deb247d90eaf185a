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
/// Two draws in each of which the numbers of every other value are on the other side of the middle of their range. Of
/// few numbers, all that go into a corner may be on one side of it in each random draw: y = relu(x) is x then. None
/// where there is no corner, neither in the formulas nor in a layer, or where so many numbers are drawn that both sides
/// are seen.
std::vector<Corner> mirrored(Part& part, Values& draw, const ExprPtr& left, const ExprPtr& right);
std::vector<int> moving(const Symbols& symbols, const ExprPtr& left, const ExprPtr& right);

/// "0.25", in six digits.
std::string shown(double value);

}  // namespace chalk::math
