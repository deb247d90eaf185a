// What a schedule is. Each has a few lines in a file of src/schedules/ and one in schedules.inc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "chalkgrad/schedule.h"
#include "src/ir/op.h"

namespace chalk {

/// Where a step is in its run: all that a schedule may depend on.
struct ScheduleTime {
  double step;   ///< steps done before it
  double rise;   ///< steps of the warm-up, at most those of the run
  double steps;  ///< of the run
  double epoch;  ///< steps in an epoch
  std::int64_t reductions;

  double epochs() const { return step / epoch; }
  /// x: the share of `length` epochs after the warm-up, or of what is left of the run after it if that is 0; at most 1.
  double share(double length) const;
};

struct ScheduleDefinition {
  Required<std::string_view> name;
  Required<std::string_view> help;       // a few words
  Required<std::string_view> formula;    // for people to read
  Required<std::string_view> elsewhere;  // what PyTorch and Keras call it, and where theirs is another one
  Required<Attributes> defaults;
  /// How many parameters are always written, first and without their names. A list takes all numbers without names.
  Required<std::size_t> nameless;
  /// The factor after the warm-up (one that has a rise of its own: from step 0 on, if there is no warm-up).
  Required<double (*)(const Attributes& parameters, const ScheduleTime& time)> factor;
  /// Whether factors depend on how long the run is.
  Required<bool (*)(const Attributes& parameters)> spans_run;
  /// Throws InputError if the parameters, though each is in its range, contradict each other.
  void (*check)(const Attributes& parameters) = nullptr;
  /// The momentum of a step, or nothing where it stays as it is.
  std::optional<double> (*momentum)(const Attributes& parameters, const ScheduleTime& time) = nullptr;
  Observed (*observe)(const Attributes& parameters, Observed seen, double loss, bool maximised) = nullptr;
};

const ScheduleDefinition& definition_of(const Schedule& schedule);
/// In the order of the list.
std::span<const ScheduleDefinition* const> all_schedules();

#define CHALK_SCHEDULE(name) extern const ScheduleDefinition schedule_##name;
#include "src/schedules/schedules.inc"
#undef CHALK_SCHEDULE

}  // namespace chalk
