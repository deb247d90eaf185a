// The single slip that a false equation may be due to: a sign, an index, a prime, a transpose, a factor, a sum. Edits
// are tried one after the other, the simplest first, until one makes the equation true.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/math/expr.h"
#include "src/math/part.h"

namespace chalk::math {

/// What is false: left is not right.
struct FalseEquation {
  ExprPtr left, right;
  bool approximate = false;
  bool left_is_given = false;     // it is from a line above and stays as it is
  std::vector<ExprPtr> others{};  // formulas nearby, from which a factor may be missing
  std::vector<Bound> ranges{};    // of "for i=0..3"
};

/// "true with W[i,j] in place of W[j,i]", or nothing if no single edit is found. `work` is what may be spent, in
/// numbers computed; what is left stays in it. So the time is bounded, about a second for 2^26, and the same
/// everywhere.
std::string offered_edit(Part& part, const FalseEquation& equation, std::uint64_t seed, int trials, std::int64_t& work);

}  // namespace chalk::math
