#include <algorithm>
#include <array>
#include <cmath>

#include "src/base/fields.h"
#include "src/schedules/curves.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

constexpr std::array kDefinitions{
#define CHALK_SCHEDULE(name) &schedule_##name,
#include "src/schedules/schedules.inc"
#undef CHALK_SCHEDULE
};

/// The same with the whole numbers that a step's place is given by.
ScheduleTime time_of(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch, double warmup) {
  const double all = static_cast<double>(steps), epoch = static_cast<double>(steps_per_epoch);
  return {.step = static_cast<double>(step),
          .rise = std::min(warmup * epoch, all),
          .steps = all,
          .epoch = epoch,
          .reductions = 0};
}

}  // namespace

std::span<const ScheduleDefinition* const> all_schedules() { return kDefinitions; }

std::span<const std::string_view> Schedule::names() {
  static const auto names = [] {
    std::array<std::string_view, kDefinitions.size()> all;
    std::ranges::transform(kDefinitions, all.begin(), [](const auto* d) { return d->name.value; });
    return all;
  }();
  return names;
}

const ScheduleDefinition& definition_of(const Schedule& schedule) {
  return **std::ranges::find(kDefinitions, schedule.name(), [](const auto* d) { return d->name.value; });
}

double Schedule::factor(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch,
                        const Observed& seen) const {
  auto time = time_of(step, steps, steps_per_epoch, warmup_);
  time.reductions = seen.reductions;
  if (time.step < time.rise) return warming_up(time.step, time.rise);
  return definition_of(*this).factor.value(parameters_, time);
}

std::optional<double> Schedule::momentum(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch) const {
  const auto momentum = definition_of(*this).momentum;
  if (!momentum) return {};
  auto time = time_of(step, steps, steps_per_epoch, warmup_);
  time.step = std::max(time.step, time.rise);  // in the warm-up it is that of the first step
  return momentum(parameters_, time);
}

bool Schedule::observes() const { return definition_of(*this).observe != nullptr; }

Observed Schedule::observe(Observed seen, double loss, bool maximised) const {
  const auto observe = definition_of(*this).observe;
  return observe ? observe(parameters_, seen, loss, maximised) : seen;
}

bool Schedule::open_ended(std::int64_t epochs) const {
  return !definition_of(*this).spans_run.value(parameters_) && warmup_ <= static_cast<double>(epochs);
}

}  // namespace chalk
