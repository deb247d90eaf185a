// The small language of schedules: NAME:NUMBER,…,NAME=NUMBER,…+warmup:EPOCHS.
#include "src/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <type_traits>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/wording.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

constexpr std::string_view kWarmup = "warmup";

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

/// What is said of a schedule that cannot be read.
[[noreturn]] void cannot_read(std::string_view text, const std::string& what) {
  throw InputError(str("schedule ", in_quotes(text), what));
}

/// How a schedule is written with its nameless parameters.
std::string form_of(const ScheduleDefinition& definition) {
  std::string form(definition.name.value);
  std::size_t seen = 0;
  FieldFunction writer([&]<class T>(const Field& field, const T&) {
    if (seen++ >= definition.nameless.value) return;
    form += str(seen == 1 ? ":" : ",", upper(field.name), std::is_same_v<T, std::vector<double>> ? ",…" : "");
  });
  definition.defaults.value.show(writer);
  return form;
}

/// A number with the name before it, if there is one: "factor=0.5".
struct Argument {
  std::string_view name, number;
};

std::vector<Argument> arguments_of(std::string_view list) {
  std::vector<Argument> all;
  if (list.empty()) return all;
  for (const auto one : split(list, ',')) {
    const auto equals = one.find('=');
    all.push_back(equals == std::string_view::npos ? Argument{{}, one}
                                                   : Argument{one.substr(0, equals), one.substr(equals + 1)});
  }
  return all;
}

/// Sets the parameters of a schedule to what was written.
class Reader : public FieldVisitor {
 public:
  Reader(const ScheduleDefinition& definition, std::vector<Argument> arguments, std::string_view text)
      : definition_(definition), arguments_(std::move(arguments)), text_(text) {}

  void field(const Field& field, std::int64_t& value) override {
    if (const auto written = take(field)) value = number<std::int64_t>(field, *written);
  }
  void field(const Field& field, double& value) override {
    if (const auto written = take(field)) value = number<double>(field, *written);
  }
  void field(const Field& field, std::vector<double>& value) override {
    auto written = take(field);
    if (written) value.clear();
    for (; written; written = take_nameless()) value.push_back(number<double>(field, *written));
  }
  // No schedule has these.
  void field(const Field&, bool&) override {}
  void field(const Field&, std::string&) override {}
  void field(const Field&, std::vector<std::int64_t>&) override {}

  /// Throws InputError for what no parameter has taken.
  void finish() const {
    if (arguments_.empty()) return;
    const auto& left = arguments_.front();
    if (left.name.empty() && left.number.empty())
      cannot_read(text_, ": a number is missing; end it without a colon or comma");
    const auto list = names_.empty() ? std::string("nothing") : alternatives(names_, " and ");
    const auto& name = definition_.name.value;
    if (left.name.empty()) cannot_read(text_, str(": ", left.number, " is one too many; ", name, " takes ", list));
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    const bool twice = std::ranges::find(names_, left.name) != names_.end();
    cannot_read(text_, twice ? str(": ", left.name, " is given twice; give it once")
                             : str(": ", name, " has no ", in_quotes(left.name), ", but ", list));
  }

 private:
  std::optional<std::string_view> take_nameless() {
    const auto found = std::ranges::find(arguments_, std::string_view(), &Argument::name);
    return found == arguments_.end() || found->number.empty() ? std::nullopt : std::optional(take(found));
  }
  std::string_view take(std::vector<Argument>::iterator argument) {
    const auto number = argument->number;
    arguments_.erase(argument);
    return number;
  }
  std::optional<std::string_view> take(const Field& field) {
    names_.emplace_back(field.name);
    const auto named = std::ranges::find(arguments_, field.name, &Argument::name);
    if (named != arguments_.end()) return take(named);
    if (names_.size() <= definition_.nameless.value) {
      if (const auto nameless = take_nameless()) return nameless;
    }
    if (field.must_be_given) {
      cannot_read(text_, str(": ", upper(field.name), " is missing; write ", form_of(definition_), " as in ",
                             definition_.name.value, ":", field.example));
    }
    return {};
  }
  template <class T>
  T number(const Field& field, std::string_view written) const {
    T value{};
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    const bool read = error == std::errc() && end == written.data() + written.size();
    if (read && field.range.contains(static_cast<double>(value))) return value;
    const bool shown_plainly = read || error == std::errc::result_out_of_range;
    const bool nameless = names_.size() <= definition_.nameless.value;
    cannot_read(text_, str(": ", nameless ? upper(field.name) : std::string(field.name), " is ",
                           shown_plainly ? std::string(written) : in_quotes(written), "; it must be ",
                           std::is_same_v<T, std::int64_t> ? "whole, and " : "", field.range.text()));
  }

  const ScheduleDefinition& definition_;
  std::vector<Argument> arguments_;
  std::string_view text_;
  std::vector<std::string> names_;  // of the parameters so far
};

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

std::string text_of(double value) { return shortest(value); }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += str(text.empty() ? "" : ",", shortest(value));
  return text;
}
template <class T>
std::string text_of(const T&) {  // no schedule has these
  return {};
}

}  // namespace

std::vector<std::string> Schedule::forms() {
  std::vector<std::string> all;
  for (const auto* definition : all_schedules()) all.push_back(form_of(*definition));
  return all;
}

Schedule Schedule::parse(std::string_view text) {
  const auto plus = addition(text);
  const auto main = text.substr(0, plus);
  const auto colon = main.find(':');
  const auto& definition = definition_named(main.substr(0, colon), text);
  Schedule schedule;
  schedule.name_ = definition.name;
  if (plus != std::string_view::npos) schedule.warmup_ = warmup_of(text.substr(plus + 1), text);
  auto arguments = arguments_of(colon == std::string_view::npos ? std::string_view() : main.substr(colon + 1));
  if (colon + 1 == main.size()) arguments.push_back({});
  Reader reader(definition, std::move(arguments), text);
  schedule.parameters_ = definition.defaults.value.edited(reader);
  reader.finish();
  try {
    check_parameters(definition, schedule.parameters_);
  } catch (const InputError& e) {
    cannot_read(text, str(": ", e.what()));
  }
  return schedule;
}

std::string Schedule::text() const {
  const auto& definition = definition_of(*this);
  std::vector<std::string> usual;
  FieldFunction remember([&](const Field&, const auto& value) { usual.push_back(text_of(value)); });
  definition.defaults.value.show(remember);
  std::string text(name_);
  std::size_t seen = 0, written = 0;
  FieldFunction writer([&](const Field& field, const auto& value) {
    const auto i = seen++;
    const auto now = text_of(value);
    const bool nameless = i < definition.nameless.value;
    if (!nameless && now == usual[i]) return;
    text += str(written++ == 0 ? ":" : ",", nameless ? "" : str(field.name, "="), now);
  });
  parameters_.show(writer);
  return warmup_ > 0 ? str(text, "+", kWarmup, ":", shortest(warmup_)) : text;
}

void Schedule::check() const {
  check_parameters(definition_of(*this), parameters_);
  if (!Range::at_least(0).contains(warmup_))
    throw InputError(str("EPOCHS of warmup is ", warmup_, "; it must be a number of at least 0"));
}

}  // namespace chalk
