// Half a cosine wave from 1 down, once or again and again.
#include <cmath>

#include "src/base/fields.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

constexpr std::string_view kTo = "Factor at the end";

double down_to(double to, double x) { return to + (1 - to) * falling_wave(x); }

}  // namespace

void CosineDecay::visit(FieldVisitor& v) {
  v.field({"to", Range::from_to(0, 1), kTo}, to);
  v.field({"epochs", Range::at_least(0), "Length after the warm-up; 0: the rest of the run"}, epochs);
}

const ScheduleDefinition schedule_cosine{
    .name = CosineDecay::kName,
    .help = "The rate falls along half a cosine wave",
    .formula = "to + (1 − to) · (1 + cos πx) / 2",
    .elsewhere = "PyTorch CosineAnnealingLR, which rises again after T_max; Keras CosineDecay",
    .defaults = Attributes(CosineDecay{}),
    .nameless = 0,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<CosineDecay>();
          return down_to(p.to, t.share(p.epochs));
        },
    .spans_run = [](const Attributes& parameters) { return parameters.as<CosineDecay>().epochs == 0; }};

void CosineRestarts::visit(FieldVisitor& v) {
  v.field(Field("epochs", Range::above(0), "Length of the first cycle, after the warm-up").required("30"), epochs);
  v.field({"growth", Range::from_to(1, 1000), "How many times as long as a cycle the next one is"}, growth);
  v.field({"to", Range::from_to(0, 1), "Factor at the end of a cycle"}, to);
}

namespace {

/// Where in its cycle a step is, 0 … 1.
double place_in_cycle(const CosineRestarts& p, const ScheduleTime& t) {
  double length = p.epochs * t.epoch, step = t.step - t.rise;
  if (p.growth == 1) return std::fmod(step, length) / length;
  for (; step >= length; length *= static_cast<double>(p.growth)) step -= length;
  return step / length;
}

}  // namespace

const ScheduleDefinition schedule_cosine_restarts{
    .name = CosineRestarts::kName,
    .help = "The same in cycles, at the end of each of which the rate jumps back to the top (SGDR)",
    .formula = "to + (1 − to) · (1 + cos πx) / 2, with x from 0 to 1 in each cycle",
    .elsewhere = "PyTorch CosineAnnealingWarmRestarts(EPOCHS, growth), stepped at each step; Keras CosineDecayRestarts",
    .defaults = Attributes(CosineRestarts{}),
    .nameless = 1,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<CosineRestarts>();
          return down_to(p.to, place_in_cycle(p, t));
        },
    .spans_run = [](const Attributes&) { return false; }};

}  // namespace chalk
