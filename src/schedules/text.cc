// Schedules as text: NAME:NUMBER,…,NAME=NUMBER,…+warmup:EPOCHS.
#include "src/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/wording.h"
#include "src/ir/parameters.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

constexpr std::string_view kWarmup = "warmup";

[[noreturn]] void cannot_read(std::string_view text, const std::string& what) {
  chalk::cannot_read("schedule", text, what);
}

ParametersForm form_of(const ScheduleDefinition& definition) {
  return {"schedule", definition.name.value, definition.defaults.value, definition.nameless.value};
}

/// Where "+warmup:" begins; a plus before a digit belongs to a number, 1e+20.
std::size_t addition(std::string_view text) {
  for (std::size_t at = text.find('+'); at != std::string_view::npos; at = text.find('+', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] < '0' || text[at + 1] > '9') return at;
  }
  return std::string_view::npos;
}

double warmup_of(std::string_view addition, std::string_view text) {
  const auto colon = addition.find(':');
  if (addition.substr(0, colon) != kWarmup || colon == std::string_view::npos)
    cannot_read(text, str(": ", in_quotes(addition), " cannot be added; what can is +warmup:EPOCHS"));
  const auto written = addition.substr(colon + 1);
  double epochs = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), epochs);
  if (error == std::errc() && end == written.data() + written.size() && std::isfinite(epochs) && epochs > 0)
    return epochs;
  cannot_read(text, str(": EPOCHS of warmup is ", error == std::errc::invalid_argument ? in_quotes(written) : written,
                        "; it must be a number above 0"));
}

const ScheduleDefinition& definition_named(std::string_view name, std::string_view text) {
  for (const auto* definition : all_schedules()) {
    if (definition->name.value == name) return *definition;
  }
  const auto guess = did_you_mean(name, Schedule::names());
  cannot_read(text, str(" is not known", guess.empty() ? str("; use ", alternatives(Schedule::forms()),
                                                             ", each with +warmup:EPOCHS if wanted")
                                                       : guess));
}

void check_parameters(const ScheduleDefinition& definition, const Attributes& parameters) {
  check_fields([&](FieldVisitor& v) { parameters.show(v); });
  if (definition.check) definition.check(parameters);
}

}  // namespace

std::vector<std::string> Schedule::forms() {
  std::vector<std::string> all;
  for (const auto* definition : all_schedules()) all.push_back(chalk::form_of(form_of(*definition)));
  return all;
}

Schedule Schedule::parse(std::string_view text) {
  const auto plus = addition(text);
  const auto main = text.substr(0, plus);
  const auto& definition = definition_named(name_in(main), text);
  Schedule schedule;
  schedule.name_ = definition.name;
  if (plus != std::string_view::npos) schedule.warmup_ = warmup_of(text.substr(plus + 1), text);
  schedule.parameters_ = read_parameters(form_of(definition), main, text);
  try {
    check_parameters(definition, schedule.parameters_);
  } catch (const InputError& e) {
    cannot_read(text, str(": ", e.what()));
  }
  return schedule;
}

std::string Schedule::text() const {
  const auto text = written(form_of(definition_of(*this)), parameters_);
  return warmup_ > 0 ? str(text, "+", kWarmup, ":", shortest(warmup_)) : text;
}

void Schedule::check() const {
  check_parameters(definition_of(*this), parameters_);
  if (!Range::at_least(0).contains(warmup_))
    throw InputError(str("EPOCHS of warmup is ", warmup_, "; it must be a number of at least 0"));
}

}  // namespace chalk
