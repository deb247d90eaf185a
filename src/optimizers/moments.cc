#include "src/optimizers/moments.h"

#include "chalkgrad/ops.h"

namespace chalk {

Value adam_step(ParameterUpdate& update, Value gradient, const AdamOptions& o) {
  const Value m =
      o.moves ? update.average_by_momentum(kMean, gradient, o.beta1) : update.average(kMean, gradient, o.beta1);
  Value s = update.average(kMeanSquare, gradient * gradient, o.beta2);
  if (o.amsgrad) {
    const Value before = update.state("largest_mean_square", 0);
    s = maximum(before, s);
    update.next(before, s);
  }
  const Value root = update.scalar("adam.unbias_root", o.unbias_root) * sqrt(s) + update.number(o.epsilon);
  return update.scalar("adam.unbias_mean", o.unbias_mean) * (m / root);
}

}  // namespace chalk
