#include "chalkgrad/parameter_group.h"

#include <charconv>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

[[noreturn]] void refuse(std::string_view part, const std::string& what) {
  throw InputError(str("group ", in_quotes(part), " ", what,
                       "; write PATTERN: lr_factor=X, weight_decay=X, frozen, and ; between groups"));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Calls f for each of the parts between separators.
template <class F>
void each_part(std::string_view text, char separator, F f) {
  for (bool more = true; more;) {
    const auto end = text.find(separator);
    f(trimmed(text.substr(0, end)));
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
  }
}

double number(std::string_view part, std::string_view name, std::string_view text, bool above_zero) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && std::isfinite(value) &&
                    (above_zero ? value > 0 : value >= 0);
  if (!good) {
    refuse(part, str("has ", name, " ", in_quotes(text), ", which must be a number ",
                     above_zero ? "above 0" : "of at least 0"));
  }
  return value;
}

void set(ParameterGroup& group, std::string_view part, std::string_view setting) {
  const auto equals = setting.find('=');
  const auto name = trimmed(setting.substr(0, equals));
  const auto value = equals == std::string_view::npos ? std::string_view() : trimmed(setting.substr(equals + 1));
  if (name == "lr_factor") {
    group.lr_factor = number(part, name, value, true);
  } else if (name == "weight_decay") {
    group.weight_decay = number(part, name, value, false);
  } else if (name == "frozen" && (equals == std::string_view::npos || value == "true" || value == "false")) {
    group.frozen = value != "false";
  } else {
    refuse(part, str("says ", in_quotes(setting), ", which is not known"));
  }
}

/// Otherwise its text would be read as another group, or as several.
void check_pattern(std::string_view pattern) {
  if (pattern.find_first_of(":;") == std::string_view::npos && trimmed(pattern) == pattern) return;
  throw InputError(str("the pattern ", in_quotes(pattern),
                       " of a group may have no : and no ; in it, and no space at its ends; write ? in their place"));
}

}  // namespace

std::vector<ParameterGroup> ParameterGroup::parse(std::string_view text) {
  std::vector<ParameterGroup> groups;
  if (trimmed(text).empty()) return groups;
  each_part(text, ';', [&](std::string_view part) {
    const auto colon = part.find(':');
    ParameterGroup group;
    group.pattern = trimmed(part.substr(0, colon));
    if (group.pattern.empty()) refuse(part, "names no parameters");
    if (colon == std::string_view::npos) refuse(part, "says nothing of its parameters");
    each_part(part.substr(colon + 1), ',', [&](std::string_view setting) { set(group, part, setting); });
    groups.push_back(std::move(group));
  });
  return groups;
}

std::string ParameterGroup::text(std::span<const ParameterGroup> groups) {
  std::string all;
  for (const auto& group : groups) {
    check_pattern(group.pattern);
    std::vector<std::string> settings;
    if (group.lr_factor) settings.push_back(str("lr_factor=", shortest(*group.lr_factor)));
    if (group.weight_decay) settings.push_back(str("weight_decay=", shortest(*group.weight_decay)));
    if (group.frozen) settings.emplace_back(*group.frozen ? "frozen" : "frozen=false");
    all += str(all.empty() ? "" : "; ", group.pattern, ": ");
    for (std::size_t i = 0; i < settings.size(); ++i) all += (i == 0 ? "" : ", ") + settings[i];
  }
  return all;
}

}  // namespace chalk
