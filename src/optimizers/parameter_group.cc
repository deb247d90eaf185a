#include "chalkgrad/parameter_group.h"

#include <type_traits>

#include "chalkgrad/error.h"
#include "chalkgrad/fields.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

[[noreturn]] void refuse(std::string_view part, const std::string& what) {
  throw InputError(str("group ", in_quotes(part), " ", what,
                       "; write PATTERN: lr_factor=X, weight_decay=X, epochs=N, frozen, and ; between groups"));
}

std::string_view without_spaces(std::string_view text) { return trimmed(text, " "); }

template <class T = double>
T number(std::string_view part, std::string_view name, std::string_view text, const Range& range) {
  const auto value = number_in<T>(text);
  if (!value || !range.contains(static_cast<double>(*value))) {
    refuse(part, str("has ", name, " ", in_quotes(text), ", which must be ", std::is_integral_v<T> ? "whole, and " : "",
                     range.text()));
  }
  return *value;
}

void set(ParameterGroup& group, std::string_view part, std::string_view setting) {
  const auto equals = setting.find('=');
  const auto name = without_spaces(setting.substr(0, equals));
  const auto value = equals == std::string_view::npos ? std::string_view() : without_spaces(setting.substr(equals + 1));
  if (name == "lr_factor") {
    group.lr_factor = number(part, name, value, Range::above(0));
  } else if (name == "weight_decay") {
    group.weight_decay = number(part, name, value, Range::at_least(0));
  } else if (name == "epochs") {
    group.epochs = number<std::int64_t>(part, name, value, Range::from_to(1, 1e6));
  } else if (name == "frozen" && (equals == std::string_view::npos || value == "true" || value == "false")) {
    group.frozen = value != "false";
  } else {
    refuse(part, str("says ", in_quotes(setting), ", which is not known"));
  }
}

/// Otherwise its text would be read as another group, or as several.
void check_pattern(std::string_view pattern) {
  if (pattern.find_first_of(":;") == std::string_view::npos && without_spaces(pattern) == pattern) return;
  throw InputError(str("the pattern ", in_quotes(pattern),
                       " of a group may have no : and no ; in it, and no space at its ends; write ? in their place"));
}

}  // namespace

std::vector<ParameterGroup> ParameterGroup::parse(std::string_view text) {
  std::vector<ParameterGroup> groups;
  if (without_spaces(text).empty()) return groups;
  for (const auto written : split(text, ';')) {
    const auto part = without_spaces(written);
    const auto colon = part.find(':');
    ParameterGroup group;
    group.pattern = without_spaces(part.substr(0, colon));
    if (group.pattern.empty()) refuse(part, "names no parameters");
    if (colon == std::string_view::npos) refuse(part, "says nothing of its parameters");
    for (const auto setting : split(part.substr(colon + 1), ',')) set(group, part, without_spaces(setting));
    groups.push_back(std::move(group));
  }
  return groups;
}

std::string ParameterGroup::text(std::span<const ParameterGroup> groups) {
  std::string all;
  for (const auto& group : groups) {
    check_pattern(group.pattern);
    std::vector<std::string> settings;
    if (group.lr_factor) settings.push_back(str("lr_factor=", shortest(*group.lr_factor)));
    if (group.weight_decay) settings.push_back(str("weight_decay=", shortest(*group.weight_decay)));
    if (group.epochs) settings.push_back(str("epochs=", *group.epochs));
    if (group.frozen) settings.emplace_back(*group.frozen ? "frozen" : "frozen=false");
    all += str(all.empty() ? "" : "; ", group.pattern, ": ");
    for (std::size_t i = 0; i < settings.size(); ++i) all += (i == 0 ? "" : ", ") + settings[i];
  }
  return all;
}

}  // namespace chalk
