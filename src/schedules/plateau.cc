// The rate falls when the loss does not.
#include <algorithm>
#include <cmath>

#include "src/base/fields.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {

void Plateau::visit(FieldVisitor& v) {
  constexpr double kMost = 1'000'000;
  v.field({"patience", Range::from_to(0, kMost), "Bad epochs in a row that are borne"}, patience);
  v.field({"factor",
           {.least = 0, .most = 1, .without_least = true, .without_most = true},
           "What the rate is multiplied by then"},
          factor);
  v.field({"threshold", Range::from_to(0, 1), "Share of the best loss by which another one must be better"}, threshold);
  v.field({"cooldown", Range::from_to(0, kMost), "Epochs after that in which bad ones do not count"}, cooldown);
  v.field({"to", Range::from_to(0, 1), "Lowest factor"}, to);
}

namespace {

double factor(const Attributes& parameters, const ScheduleTime& t) {
  const auto& p = parameters.as<Plateau>();
  return std::max(p.to, whole_power(p.factor, t.reductions));
}

Observed observe(const Attributes& parameters, Observed seen, double loss, bool maximised) {
  const auto& p = parameters.as<Plateau>();
  const double margin = p.threshold * std::abs(seen.best);
  const bool better = seen.epochs == 0 || (maximised ? loss > seen.best + margin : loss < seen.best - margin);
  ++seen.epochs;
  if (better) seen.best = loss;
  seen.bad = better ? 0 : seen.bad + 1;
  if (seen.cooldown > 0) {
    --seen.cooldown;
    seen.bad = 0;
  }
  if (seen.bad > p.patience) {
    ++seen.reductions;
    seen.cooldown = p.cooldown;
    seen.bad = 0;
  }
  return seen;
}

}  // namespace

const ScheduleDefinition schedule_plateau{
    .name = Plateau::kName,
    .help = "The rate is multiplied when the loss has not become better for more than so many epochs",
    .formula = "max(to, factor^(how often that was so))",
    .elsewhere =
        "PyTorch ReduceLROnPlateau; of losses below 0, that takes slightly worse ones for better, and it leaves "
        "a rate alone that would change by less than 1e-8. Keras ReduceLROnPlateau reduces after PATIENCE bad "
        "epochs, not one later",
    .defaults = Attributes(Plateau{}),
    .nameless = 1,
    .factor = factor,
    .spans_run = [](const Attributes&) { return false; },
    .observe = observe};

}  // namespace chalk
