// From one rate to another in one go, or ever more slowly.
#include <algorithm>
#include <cmath>

#include "src/base/fields.h"
#include "src/base/power.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

constexpr std::string_view kTo = "Factor at the end", kLength = "Length after the warm-up; 0: the rest of the run";

}  // namespace

double ScheduleTime::share(double length) const {
  const double end = length > 0 ? length * epoch : std::max(1.0, steps - rise);
  return std::min(1.0, (step - rise) / end);
}

void PolynomialDecay::visit(FieldVisitor& v) {
  v.field({"power", Range::above(0), "Exponent"}, power);
  v.field({"to", Range::from_to(0, 1), kTo}, to);
  v.field({"epochs", Range::at_least(0), kLength}, epochs);
}

const ScheduleDefinition schedule_polynomial{
    .name = PolynomialDecay::kName,
    .help = "The rate falls as a power of what is left of the run",
    .formula = "to + (1 − to) · (1 − x)^power",
    .elsewhere = "PyTorch PolynomialLR, which ends after five calls unless told otherwise; Keras PolynomialDecay",
    .defaults = Attributes(PolynomialDecay{}),
    .nameless = 1,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<PolynomialDecay>();
          return p.to + (1 - p.to) * real_power(1 - t.share(p.epochs), p.power);
        },
    .spans_run = [](const Attributes& parameters) { return parameters.as<PolynomialDecay>().epochs == 0; }};

void LinearRate::visit(FieldVisitor& v) {
  v.field({"from", Range::at_least(0), "Factor at the beginning"}, from);
  v.field({"to", Range::at_least(0), kTo}, to);
  v.field({"epochs", Range::at_least(0), kLength}, epochs);
}

const ScheduleDefinition schedule_linear{
    .name = LinearRate::kName,
    .help = "The rate goes in a straight line from one factor to another",
    .formula = "from + (to − from) · x",
    .elsewhere = "PyTorch LinearLR, which rises from a third to 1 in five calls unless told otherwise",
    .defaults = Attributes(LinearRate{}),
    .nameless = 0,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<LinearRate>();
          return p.from + (p.to - p.from) * t.share(p.epochs);
        },
    .spans_run = [](const Attributes& parameters) { return parameters.as<LinearRate>().epochs == 0; }};

const ScheduleDefinition schedule_inverse_sqrt{
    .name = InverseSqrtDecay::kName,
    .help = "The rate falls with the root of the steps; give it a warm-up",
    .formula = "√((r + 1) / (t + 1))",
    .elsewhere = "the schedule of the Transformer (Vaswani et al. 2017), for which PyTorch has LambdaLR",
    .defaults = Attributes(InverseSqrtDecay{}),
    .nameless = 0,
    .factor = [](const Attributes&, const ScheduleTime& t) { return std::sqrt((t.rise + 1) / (t.step + 1)); },
    .spans_run = [](const Attributes&) { return false; }};

}  // namespace chalk
