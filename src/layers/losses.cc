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

}  // namespace

Value cross_entropy(Value logits, Value target) {
  check_same_shape(logits, target, "cross_entropy");
  if (logits.shape().size() != 1) {
    fail_layer(
        logits.graph(), "cross_entropy",
        str("takes one vector of classes a sample, not ", to_string(logits.shape()), "; reshape it to one axis"));
  }
  return neg(sum(target * log_softmax(logits)));
}

Value squared_error(Value y, Value target) {
  check_same_shape(y, target, "squared_error");
  const Value d = y - target;
  return y.graph().constant(0.5) * sum(d * d);
}

Value batch_mean(Value x) { return batch_sum(x) / x.graph().batch_size(); }

}  // namespace chalk
