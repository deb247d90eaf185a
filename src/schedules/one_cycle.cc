// Up and down again in one run (Smith & Topin 2018).
#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

bool always(const Attributes&) { return true; }

}  // namespace

void OneCycle::visit(FieldVisitor& v) {
  v.field({"rise", Range::from_to(0, 1), "Share of the run in which it rises, if there is no warm-up"}, rise);
}

const ScheduleDefinition schedule_one_cycle{
    .name = OneCycle::kName,
    .help = "The rate rises in a straight line over a fifth of the run, or in the warm-up, then falls to 0",
    .formula = "(t + 1) / (r + 1) while t < r, then 1 − x; r = rise · T without a warm-up",
    .elsewhere = "PyTorch OneCycleLR with anneal_strategy=\"linear\", nearly: see one-cycle-cosine",
    .defaults = Attributes(OneCycle{}),
    .nameless = 0,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& time) {
          ScheduleTime t = time;
          if (t.rise == 0) t.rise = parameters.as<OneCycle>().rise * t.steps;
          return t.step < t.rise ? warming_up(t.step, t.rise) : 1 - t.share(0);
        },
    .spans_run = always};

void OneCycleCosine::visit(FieldVisitor& v) {
  v.field({"rise", Range::from_to(0, 1), "Share of the run in which it rises"}, rise);
  v.field({"from", Range::from_to(0, 1), "Factor at the beginning"}, from);
  v.field({"to", Range::from_to(0, 1), "Factor of the last step"}, to);
  v.field({"momentum_low", Range::from_below(0, 1), "Momentum at the top (of adam and its like: beta1)"}, momentum_low);
  v.field({"momentum_high", Range::from_below(0, 1), "Momentum at the ends; 0: it stays as it is"}, momentum_high);
}

namespace {

/// How far up a step is, 0 at the beginning and at the end, 1 at the top; and whether it is on the way up.
struct Height {
  double share;
  bool rising;
};

Height height_of(const OneCycleCosine& p, const ScheduleTime& t) {
  const double step = t.step - t.rise, steps = t.steps - t.rise, top = p.rise * steps - 1, last = steps - 1;
  if (step <= top) return {1 - falling_wave(step / std::max(top, 1e-9)), true};
  return {falling_wave((step - top) / std::max(last - top, 1e-9)), false};
}

double one_cycle_cosine(const Attributes& parameters, const ScheduleTime& t) {
  const auto& p = parameters.as<OneCycleCosine>();
  const auto [share, rising] = height_of(p, t);
  const double foot = rising ? p.from : p.to;
  return foot + (1 - foot) * share;
}

std::optional<double> momentum(const Attributes& parameters, const ScheduleTime& t) {
  const auto& p = parameters.as<OneCycleCosine>();
  if (p.momentum_high == 0) return {};
  return p.momentum_high + (p.momentum_low - p.momentum_high) * height_of(p, t).share;
}

void check_momentum(const Attributes& parameters) {
  const auto& p = parameters.as<OneCycleCosine>();
  if (p.momentum_low > p.momentum_high) {
    throw InputError(str("momentum_low is ", p.momentum_low, " and momentum_high ", p.momentum_high,
                         "; give both, the second not below the first, or neither"));
  }
}

}  // namespace

const ScheduleDefinition schedule_one_cycle_cosine{
    .name = OneCycleCosine::kName,
    .help = "The same with cosine waves, and not from and to 0",
    .formula = "half a cosine wave from `from` to 1 at step rise · T − 1, another one to `to` at step T − 1",
    .elsewhere =
        "PyTorch OneCycleLR with its defaults and cycle_momentum=False; left out, that moves the momentum "
        "between 0.85 and 0.95, as momentum_low and momentum_high do here, and switches it on in plain SGD; beta1 of "
        "adam and "
        "its like",
    .defaults = Attributes(OneCycleCosine{}),
    .nameless = 0,
    .factor = one_cycle_cosine,
    .spans_run = always,
    .check = check_momentum,
    .momentum = momentum};

}  // namespace chalk
