// v ← momentum · v + (1 − dampening) · g, from v = g,   w ← w − lr · v; with Nesterov's momentum
// w ← w − lr · (g + momentum · v). As in PyTorch, where dampening begins with the second step. Keras and Optax have no
// dampening; Keras keeps lr inside v, which differs where the rate changes.
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

void Sgd::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"momentum", Range::from_below(0, 1), "Momentum"}, momentum);
  v.field(Field("dampening", Range::from_to(0, 1), "Takes X of each gradient but the first out of the momentum")
              .added_later(),
          dampening);
  v.field({"nesterov", {}, "Nesterov's momentum"}, nesterov);
  visit_weight_decay(v, weight_decay);
}

namespace {

void check(const Attributes& options) {
  const auto& o = options.as<Sgd>();
  if (o.nesterov && o.momentum == 0) throw InputError("nesterov needs a momentum above 0");
  if (o.nesterov && o.dampening > 0) throw InputError("nesterov takes no dampening; leave one of them out");
  if (o.dampening > 0 && o.momentum == 0) throw InputError("dampening needs a momentum above 0");
}

double share_of_gradient(const Attributes& options, const StepTime& time) {
  return time.step == 0 ? 1 : 1 - options.as<Sgd>().dampening;
}

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Sgd>();
  const Value g = update.gradient(o.weight_decay);
  if (o.momentum == 0 && !update.moves_momentum()) return update.descend(update.lr(), g);
  const Value v = update.state("momentum", 0);
  const Value momentum = update.momentum(o.momentum);
  const Value next =
      momentum * v + (o.dampening == 0 ? g : update.scalar("sgd.share_of_gradient", share_of_gradient) * g);
  update.next(v, next);
  update.descend(update.lr(), o.nesterov ? g + momentum * next : next);
}

}  // namespace

const OptimizerDefinition optimizer_sgd{.help = "Stochastic gradient descent, with momentum",
                                        .formula =
                                            "v ← momentum · v + (1 − dampening) · g, from v = g, w ← w − lr · v; "
                                            "Nesterov: w ← w − lr · (g + momentum · v)",
                                        .defaults = Attributes(Sgd{}),
                                        .rule = rule,
                                        .momentum = "momentum",
                                        .check = check};

}  // namespace chalk
