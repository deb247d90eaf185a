// Counts answers: what an Evaluation is made of.
#pragma once

#include "chalkgrad/evaluate.h"

namespace chalk {

/// For labelled data, before any answer is counted.
void begin_classes(Evaluation& result, const Dataset& data);
/// Outputs for the samples from `first` on, one for each class.
void count_answers(Evaluation& result, const Dataset& data, std::size_t first, std::span<const float> outputs);
/// `counted`: what all samples count in the mean loss.
void finish_evaluation(Evaluation& result, double counted);

}  // namespace chalk
