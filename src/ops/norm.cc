// y = √s of a sum of squares s, where y = 0 and dy/ds = 0 for s = 0: the one number between the slopes of a norm at 0,
// −1 and 1, that is the same in all directions. A root by itself has the slope ∞ there.
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"

namespace chalk {
namespace {

Value root_of_squares(Value s) {
  const Value zero = s.graph().constant(0), one = s.graph().constant(1), vanishes = equal(s, zero);
  return select(vanishes, zero, sqrt(select(vanishes, one, s)));
}

}  // namespace

Value norm(Value x, std::vector<std::int64_t> axes, bool keep) {
  return root_of_squares(sum(x * x, std::move(axes), keep));
}

Value norm(std::span<const Value> xs) {
  if (xs.empty()) throw ShapeError("norm: nothing to measure; give it at least one value");
  Value s = sum(xs[0] * xs[0]);
  for (const Value& x : xs.subspan(1)) s = s + sum(x * x);
  return root_of_squares(s);
}

}  // namespace chalk
