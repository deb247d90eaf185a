// What an average of weights is. Each has a few lines in averages.cc and one in averages.inc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "chalkgrad/average.h"
#include "src/ir/op.h"

namespace chalk {

/// Which step it is, from 0, and how many there are in an epoch.
struct AverageTime {
  std::int64_t step, epoch;
};

struct AverageDefinition {
  Required<std::string_view> name;
  Required<std::string_view> help;       // a few words
  Required<std::string_view> formula;    // for people to read
  Required<std::string_view> elsewhere;  // what PyTorch and Keras call it, and where theirs is another one
  Required<Attributes> defaults;
  Required<std::size_t> nameless;  // how many parameters are always written, first and without their names
  /// Whether the weights after this step are averaged.
  Required<bool (*)(const Attributes& parameters, const AverageTime& time)> averages;
  /// How many were before it.
  Required<std::int64_t (*)(const Attributes& parameters, const AverageTime& time)> before;
  /// How much of the difference to the n-th weight (n = 1, 2, …) the average moves by.
  Required<double (*)(const Attributes& parameters, std::int64_t n)> share;
  /// Epochs before the first that is averaged has ended.
  Required<std::int64_t (*)(const Attributes& parameters)> least_epochs;
  Required<bool> measures;  // running statistics anew, instead of averaging them
};

/// Of one that is not none.
const AverageDefinition& definition_of(const Average& average);
/// In the order of the list.
std::span<const AverageDefinition* const> all_averages();

#define CHALK_AVERAGE(name) extern const AverageDefinition average_##name;
#include "src/schedules/averages.inc"
#undef CHALK_AVERAGE

}  // namespace chalk
