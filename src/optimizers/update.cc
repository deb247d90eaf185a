#include <algorithm>

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

Value StepContext::with_penalty(Value direction, Value penalty) const {
  return ascends ? direction - penalty : direction + penalty;
}

ParameterRole ParameterUpdate::role() const { return role_of(w_); }

Value ParameterUpdate::decayed(Value direction, double weight_decay) {
  if (weight_decay == 0 || !decays_) return direction;
  return step_.with_penalty(direction, number(weight_decay) * w_);
}

Value ParameterUpdate::state(std::string_view name, double initial) {
  step_.states.push_back(str(w_.name(), ".", name));
  return w_.graph().parameter(step_.states.back(), w_.shape(), Init::constant(initial), /*trainable=*/false);
}

Value ParameterUpdate::average(std::string_view name, Value value, double decay) {
  const Value before = state(name, 0);
  const Value after = before + number(1 - decay) * (value - before);
  next(before, after);
  return after;
}

Value ParameterUpdate::rest_of_momentum(double usual) {
  if (!moves_momentum()) return number(1 - usual);
  return scalar("momentum.rest", [](const Attributes&, const StepTime& time) { return 1 - time.momentum_or(0); });
}

Value ParameterUpdate::average_by_momentum(std::string_view name, Value value, double usual) {
  if (!moves_momentum()) return average(name, value, usual);
  const Value before = state(name, 0);
  const Value after = before + rest_of_momentum(usual) * (value - before);
  next(before, after);
  return after;
}

Value ParameterUpdate::scalar(const std::string& name, StepScalar value) {
  if (const Value known = w_.graph().find(name)) return known;
  step_.scalars.push_back({name, value});
  return w_.graph().shared_input(name);
}

void ParameterUpdate::descend(Value rate, Value direction) {
  const Value change = rate * direction;
  stepped_ = step_.ascends ? w_ + change : w_ - change;
}

bool is_never_negative(std::string_view state) {
  return state.find("square") != std::string_view::npos || state == "sum" || state == "largest";
}

namespace {

/// Zhang et al. 2019: φ ← φ + alpha · (θ − φ), θ ← φ where slow weights are pulled; elsewhere they stay as they are.
void add_lookahead(StepContext& step, Value fast, Value stepped) {
  Graph& graph = fast.graph();
  const auto name = str(fast.name());  // as it is before it gets another
  step.states.push_back(str(name, kFast));
  step.copies.emplace_back(name, step.states.back());
  graph.name(fast, step.states.back());
  const auto layer = graph.layer();
  graph.layer(kLookaheadLayer);
  const Value slow = graph.parameter(name, fast.shape(), Init::constant(0), /*trainable=*/false);
  const Value pulled = slow + step.pull * (stepped - slow);
  graph.update(fast, select(step.pull, pulled, stepped));
  graph.update(slow, pulled);
  graph.layer(layer);
}

}  // namespace

void add_update(StepContext& step, Value w, Value gradient, bool decays, const Optimizer& optimizer) {
  ParameterUpdate update(step, w, gradient, decays);
  definition_of(optimizer).rule.value(optimizer.options(), update);
  step.pull ? add_lookahead(step, w, update.stepped()) : w.graph().update(w, update.stepped());
}

}  // namespace chalk
