// Losses of the differences between targets and outputs.
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

Value squares(Value y, Value target, std::string_view loss) {
  check_same_shape(y, target, loss);
  const Value d = y - target;
  return sum(d * d);
}

}  // namespace

Value squared_error(Value y, Value target) { return y.graph().constant(0.5) * squares(y, target, "squared_error"); }
const LossDefinition loss_squared_error{.formula = "½ Σ (t − y)²", .of_softmax = false, .build = squared_error};

Value sum_of_squares(Value y, Value target) { return squares(y, target, "sum_of_squares"); }
const LossDefinition loss_sum_of_squares{.formula = "Σ (t − y)²", .of_softmax = false, .build = sum_of_squares};

Value mean_absolute_error(Value y, Value target) {
  check_same_shape(y, target, "mean_absolute_error");
  return mean(abs(target - y));
}
const LossDefinition loss_mean_absolute_error{
    .formula = "Σ |t − y| / n", .of_softmax = false, .build = mean_absolute_error};

Value gaussian_log_likelihood(Value y, Value target) {
  return y.graph().constant(-0.5) * squares(y, target, "gaussian_log_likelihood");
}
const LossDefinition loss_gaussian_log_likelihood{
    .formula = "−½ Σ (t − y)²", .of_softmax = false, .maximised = true, .build = gaussian_log_likelihood};

}  // namespace chalk
