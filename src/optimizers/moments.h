// What Adam and its relatives share: averages of the gradient and of its square, and numbers that depend on the step.
#pragma once

#include <cmath>

#include "src/base/power.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

/// The fields of both averages.
inline void visit_moments(FieldVisitor& v, double& beta1, double& beta2) {
  v.field({"beta1", Range::from_below(0, 1), "How much of the mean gradient stays in a step"}, beta1);
  v.field({"beta2", Range::from_below(0, 1), "How much of the mean square stays in a step"}, beta2);
}

/// 1 − decayᵗ, where t = step + 1: how much of an average that began with 0 is not that 0.
inline double filled(double decay, std::int64_t step) { return 1 - power(decay, step + 1); }

/// 1 / (1 − beta1ᵗ), of a struct of options that has it. If the schedule moves beta1, that of the step counts, as in
/// PyTorch.
template <class Options>
double unbias_mean(const Attributes& options, const StepTime& time) {
  return 1 / filled(time.momentum_or(options.as<Options>().beta1), time.step);
}

/// 1 / √(1 − beta2ᵗ)
template <class Options>
double unbias_root(const Attributes& options, const StepTime& time) {
  return 1 / std::sqrt(filled(options.as<Options>().beta2, time.step));
}

constexpr std::string_view kMean = "mean", kMeanSquare = "mean_square";

/// Adam's step from the gradient, without lr and decoupled weight decay: m̂ / (√ŝ + ε). With amsgrad, the largest s so
/// far takes the place of s.
struct AdamOptions {
  double beta1, beta2, epsilon;
  bool amsgrad;
  StepScalar unbias_mean, unbias_root;
  bool moves = true;  ///< beta1 is the momentum that a schedule may move
};
Value adam_step(ParameterUpdate& update, Value gradient, const AdamOptions& options);

}  // namespace chalk
