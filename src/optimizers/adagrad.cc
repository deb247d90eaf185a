// s ← s + g²,   w ← w − lr / (1 + lr_decay · steps before) · g / (√s + ε): Duchi, Hazan & Singer 2011, as in
// PyTorch, which begins with s = 0. Keras and Optax begin with s = 0.1, and have no lr_decay.
#include "chalkgrad/ops.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

void Adagrad::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"lr_decay", Range::at_least(0), "Divides the learning rate by 1 + X · steps before"}, lr_decay);
  v.field({"initial_accumulator", Range::at_least(0), "Sum of squared gradients before the first step"},
          initial_accumulator);
  v.field({"epsilon", Range::at_least(1e-30), "Is added to the root, so that it is not zero"}, epsilon);
  visit_weight_decay(v, weight_decay);
}

namespace {

double slowing(const Attributes& options, const StepTime& time) {
  return 1 / (1 + options.as<Adagrad>().lr_decay * static_cast<double>(time.step));
}

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Adagrad>();
  const Value g = update.gradient(o.weight_decay);
  const Value s = update.state("sum", o.initial_accumulator);
  const Value next = s + g * g;
  update.next(s, next);
  const Value rate = o.lr_decay == 0 ? update.lr() : update.lr() * update.scalar("adagrad.slowing", slowing);
  update.descend(rate, g / (sqrt(next) + update.number(o.epsilon)));
}

}  // namespace

const OptimizerDefinition optimizer_adagrad{.help = "Steps that shrink with the sum of the squared gradients so far",
                                            .formula = "s ← s + g², w ← w − lr / (1 + lr_decay · t) · g / (√s + ε)",
                                            .defaults = Attributes(Adagrad{}),
                                            .rule = rule,
                                            .momentum = ""};

}  // namespace chalk
