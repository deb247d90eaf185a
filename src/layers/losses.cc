// Losses of one sample, written as the text books write them; simplify() turns their gradients into y − t.
#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {
namespace {

// Elementwise operations would broadcast, and a loss against a stretched target is a quiet mistake.
void check_same_shape(Value y, Value target, std::string_view loss) {
  if (y.shape() == target.shape()) return;
  fail_layer(y.graph(), loss,
             str("a target of ", to_string(target.shape()), " does not fit ", to_string(y.shape()),
                 "; give both the same shape"));
}

Value likelihood(Value logits, Value target, std::string_view loss) {
  check_same_shape(logits, target, loss);
  if (logits.shape().size() != 1) {
    fail_layer(
        logits.graph(), loss,
        str("takes one vector of classes a sample, not ", to_string(logits.shape()), "; reshape it to one axis"));
  }
  return sum(target * log_softmax(logits));
}

Value squares(Value y, Value target, std::string_view loss) {
  check_same_shape(y, target, loss);
  const Value d = y - target;
  return sum(d * d);
}

}  // namespace

Value cross_entropy(Value logits, Value target) { return neg(likelihood(logits, target, "cross_entropy")); }

Value log_likelihood(Value logits, Value target) { return likelihood(logits, target, "log_likelihood"); }

Value binary_cross_entropy(Value y, Value target) {
  check_same_shape(y, target, "binary_cross_entropy");
  const Value one = y.graph().constant(1);
  return neg(sum(target * log(y) + (one - target) * log(one - y)));
}

// −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = t·ln(1 + e^−z) + (1 − t)·ln(1 + e^z) = ln(1 + e^z) − t·z
Value sigmoid_cross_entropy(Value logits, Value target) {
  check_same_shape(logits, target, "sigmoid_cross_entropy");
  return sum(softplus(logits) - target * logits);
}

Value squared_error(Value y, Value target) { return y.graph().constant(0.5) * squares(y, target, "squared_error"); }

Value sum_of_squares(Value y, Value target) { return squares(y, target, "sum_of_squares"); }

Value gaussian_log_likelihood(Value y, Value target) {
  return y.graph().constant(-0.5) * squares(y, target, "gaussian_log_likelihood");
}

Value batch_mean(Value x) { return batch_sum(x) / x.graph().batch_size(); }

}  // namespace chalk
