// Factors that a rate is multiplied by again and again.
#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/power.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

bool never(const Attributes&) { return false; }

constexpr std::string_view kFactor = "What the rate is multiplied by";

}  // namespace

const ScheduleDefinition schedule_constant{
    .name = ConstantRate::kName,
    .help = "The rate stays as it is",
    .formula = "1",
    .elsewhere = "none at all. PyTorch's ConstantLR is another: a third of the rate for five calls",
    .defaults = Attributes(ConstantRate{}),
    .nameless = 0,
    .factor = [](const Attributes&, const ScheduleTime&) { return 1.0; },
    .spans_run = never};

void StepDecay::visit(FieldVisitor& v) {
  v.field(Field("epochs", Range::above(0), "How often, in epochs from the beginning of the run").required("30"),
          epochs);
  v.field({"factor", Range::above(0), kFactor}, factor);
}

const ScheduleDefinition schedule_step{
    .name = StepDecay::kName,
    .help = "The rate is multiplied every so many epochs",
    .formula = "factor^⌊e / epochs⌋",
    .elsewhere = "PyTorch StepLR(EPOCHS, FACTOR); Keras ExponentialDecay with staircase=True",
    .defaults = Attributes(StepDecay{}),
    .nameless = 2,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<StepDecay>();
          return whole_power(p.factor, whole_part(t.step / (p.epochs * t.epoch)));
        },
    .spans_run = never};

void MultiStepDecay::visit(FieldVisitor& v) {
  v.field(Field("epochs", Range::above(0), "When, in epochs from the beginning of the run").required("30,60"), epochs);
  v.field({"factor", Range::above(0), kFactor}, factor);
}

const ScheduleDefinition schedule_multi_step{
    .name = MultiStepDecay::kName,
    .help = "The rate is multiplied after each of these epochs",
    .formula = "factor^(how many of the epochs are over)",
    .elsewhere = "PyTorch MultiStepLR; Keras PiecewiseConstantDecay, with rates instead of factors",
    .defaults = Attributes(MultiStepDecay{}),
    .nameless = 1,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          const auto& p = parameters.as<MultiStepDecay>();
          return whole_power(p.factor,
                             std::ranges::count_if(p.epochs, [&](double e) { return t.step >= e * t.epoch; }));
        },
    .spans_run = never,
    .check =
        [](const Attributes& parameters) {
          const auto& epochs = parameters.as<MultiStepDecay>().epochs;
          if (epochs.empty()) throw InputError("EPOCHS is missing; give at least one");
          if (std::ranges::adjacent_find(epochs, std::greater_equal{}) != epochs.end())
            throw InputError("EPOCHS must grow; give them in order, and the factor as factor=0.1");
        }};

void ExponentialDecay::visit(FieldVisitor& v) {
  v.field(Field("factor", Range::above(0), "What the rate is multiplied by in so many epochs").required("0.95"),
          factor);
  v.field({"epochs", Range::above(0), "In how many epochs"}, epochs);
}

const ScheduleDefinition schedule_exponential{.name = ExponentialDecay::kName,
                                              .help = "The rate falls by a factor each epoch, a little at each step",
                                              .formula = "factor^(e / epochs)",
                                              .elsewhere =
                                                  "Keras ExponentialDecay, with decay_steps for epochs. PyTorch "
                                                  "ExponentialLR(FACTOR), stepped each epoch, has these rates at the "
                                                  "beginnings of epochs and keeps each for the epoch",
                                              .defaults = Attributes(ExponentialDecay{}),
                                              .nameless = 1,
                                              .factor =
                                                  [](const Attributes& parameters, const ScheduleTime& t) {
                                                    const auto& p = parameters.as<ExponentialDecay>();
                                                    return real_power(p.factor, t.epochs() / p.epochs);
                                                  },
                                              .spans_run = never};

void Annealing::visit(FieldVisitor& v) {
  v.field(Field("factor", Range::above(0), "What the rate is multiplied by after each epoch").required("0.95"), factor);
}

const ScheduleDefinition schedule_anneal{
    .name = Annealing::kName,
    .help = "The rate is multiplied after each epoch: step:1,FACTOR",
    .formula = "factor^⌊e⌋",
    .elsewhere = "DeepCL anneallearningrate=FACTOR; PyTorch ExponentialLR(FACTOR), stepped each epoch",
    .defaults = Attributes(Annealing{}),
    .nameless = 1,
    .factor =
        [](const Attributes& parameters, const ScheduleTime& t) {
          return whole_power(parameters.as<Annealing>().factor, whole_part(t.epochs()));
        },
    .spans_run = never};

}  // namespace chalk
