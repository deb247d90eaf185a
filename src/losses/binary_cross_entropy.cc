// L = −Σ (t·ln y + (1 − t)·ln(1 − y)), where 0·ln 0 = 0. Of y = σ(z) or softmax(z), whatever reshapes are between, it
// is computed from z:
//   −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = t·ln(1 + e^−z) + (1 − t)·ln(1 + e^z) = ln(1 + e^z) − t·z
// which never rounds an output to 0 or 1. So its derivative, σ(z) − t, teaches however wrong an output is.
#include <limits>

#include "chalkgrad/ops.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

/// x·ln y, and 0 where both are 0; so are then the derivatives, ln y and x/y. A y below 0 is NaN even where x is 0.
Value times_log(Value x, Value y) {
  const Value zero = y.graph().constant(0), one = y.graph().constant(1);
  return x * log(select(equal(x, zero) * equal(y, zero), one, y));
}

/// ln(1 − softmax(z)). Of the largest, z_m, with d = z_m − ln Σ_{j≠m} e^{z_j}, it is ln(1 − σ(d)) = −ln(1 + e^d),
/// however close to 1 the softmax is; all others are at most ½. That sum is formed from the second largest, as softmax
/// does.
Value log_of_the_others(Value z, std::int64_t axis) {
  Graph& g = z.graph();
  const Value zero = g.constant(0), lowest = g.constant(std::numeric_limits<float>::lowest());
  const Value largest = first_max(z, {axis}), rest = select(largest, lowest, z), second = first_max(rest, {axis});
  const auto at = [&](Value place, Value x) { return sum(select(place, x, zero), {axis}, true); };
  const Value lead = at(largest, z) - at(second, z) + at(second, log_softmax(rest, axis));
  return select(largest, neg(softplus(lead)), log(g.constant(1) - select(largest, zero, softmax(z, axis))));
}

Value behind_softmax(Value z, Value target, std::int64_t axis) {
  return neg(sum(target * log_softmax(z, axis) + (z.graph().constant(1) - target) * log_of_the_others(z, axis)));
}

Value reshaped(Value x, const Shape& shape) { return x.shape() == shape ? x : reshape(x, shape); }

/// Of logits, if the output comes from some; otherwise none.
Value joined(const Ending& end, Value target) {
  const Shape whole{elements(end.logits.shape())};
  switch (end.kind) {
    case Ending::Kind::sigmoid:
      return sigmoid_cross_entropy(end.logits, target);
    case Ending::Kind::softmax:
      return whole[0] > 1 ? behind_softmax(reshaped(end.logits, whole), reshaped(target, whole), 0) : Value();
    case Ending::Kind::softmaxes: {
      const Shape shape = end.logits.shape();
      const bool several = shape[static_cast<std::size_t>(end.axis)] > 1;
      return several ? behind_softmax(end.logits, reshaped(target, shape), end.axis) : Value();
    }
    default:
      return {};
  }
}

}  // namespace

Value binary_cross_entropy(Value y, Value target) {
  check_same_shape(y, target, "binary_cross_entropy");
  const Ending end = ending_of(y);
  if (const Value loss = joined(end, target)) {
    remark_joined(y.graph(), "binary cross-entropy", end);
    return loss;
  }
  const Value one = y.graph().constant(1);
  return neg(sum(times_log(target, y) + times_log(one - target, one - y)));
}

const LossDefinition loss_binary_cross_entropy{
    .formula = "−Σ (t·ln y + (1 − t)·ln(1 − y))",
    .target = Target::numbers,
    .build = [](const Attributes&, Value y, Value t) { return binary_cross_entropy(y, t); },
    .targets = Range::from_to(0, 1),
    .about_targets = "binary cross-entropy needs targets from 0 to 1; train with the loss squared-error",
    .outputs = {.least = 0, .most = 1, .without_least = true, .without_most = true},
    .about_outputs =
        "binary cross-entropy takes its logarithm and needs outputs between 0 and 1; end the network with sigmoid"};

}  // namespace chalk
