// Losses that ask outputs to keep a distance.
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"

namespace chalk {

void MultiClassMargin::visit(FieldVisitor& v) {
  v.field({"margin", Range::above(0), "How far the label's output must be above every other"}, margin);
  v.field({"squared", {}, "Squares what is missing"}, squared);
}

Value multi_class_margin(Value y, Value target, const MultiClassMargin& options) {
  check_options(options);
  check_classes(y, target, MultiClassMargin::kName);
  Graph& g = y.graph();
  const Value missing = relu(g.constant(options.margin) - sum(target * y) + y);
  return mean((g.constant(1) - target) * (options.squared ? missing * missing : missing));
}
const LossDefinition loss_multi_class_margin{
    .formula = "Σ max(0, margin − y[label] + y)^p / C over the other classes, p = 1, or 2 if squared",
    .target = Target::one_class,
    .build = [](const Attributes& o, Value y, Value t) { return multi_class_margin(y, t, o.as<MultiClassMargin>()); },
    .defaults = [] { return Attributes(MultiClassMargin{}); }};

Value hinge(Value y, Value target) {
  check_same_shape(y, target, "hinge");
  Graph& g = y.graph();
  const Value one = g.constant(1), sign = select(greater(target, g.constant(0)), one, g.constant(-1));
  return mean(relu(one - sign * y));
}
const LossDefinition loss_hinge{.formula = "Σ max(0, 1 − s·y) / n, with s = 1 where t > 0, else −1",
                                .target = Target::numbers,
                                .build = [](const Attributes&, Value y, Value t) { return hinge(y, t); }};

}  // namespace chalk
