// Losses for one vector of classes per sample. simplify() turns the gradient of cross-entropy into softmax(z) − t.
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

Value likelihood(Value logits, Value target, std::string_view loss) {
  check_same_shape(logits, target, loss);
  if (logits.shape().size() != 1) {
    fail_layer(
        logits.graph(), loss,
        str("takes one vector of classes a sample, not ", to_string(logits.shape()), "; reshape it to one axis"));
  }
  return sum(target * log_softmax(logits));
}

}  // namespace

Value cross_entropy(Value logits, Value target) { return neg(likelihood(logits, target, "cross_entropy")); }
const LossDefinition loss_cross_entropy{.formula = "−Σ t·ln softmax(y)", .of_softmax = true, .build = cross_entropy};

Value log_likelihood(Value logits, Value target) { return likelihood(logits, target, "log_likelihood"); }
const LossDefinition loss_log_likelihood{
    .formula = "Σ t·ln softmax(y)", .of_softmax = true, .maximised = true, .build = log_likelihood};

}  // namespace chalk
