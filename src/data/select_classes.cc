// Some classes of a data set.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

/// "5-9" as the numbers in between; nothing if it is no range.
std::optional<std::pair<std::int64_t, std::int64_t>> range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0) return {};
  const auto first = number_in<std::int64_t>(text.substr(0, dash)),
             last = number_in<std::int64_t>(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last - *first > 100'000) return {};
  return std::pair(*first, *last);
}

}  // namespace

std::vector<std::string> class_list(std::string_view text) {
  std::vector<std::string> names;
  for (const auto part : split(text, ',')) {
    if (part.empty()) throw InputError(str("classes ", in_quotes(text), ": a name is missing; write e.g. 0-4,7"));
    if (const auto numbers = range(part)) {
      for (auto n = numbers->first; n <= numbers->second; ++n) names.push_back(std::to_string(n));
    } else {
      names.emplace_back(part);
    }
  }
  return names;
}

Dataset select_classes(const Dataset& data, std::span<const std::string> names) {
  if (data.labels.empty()) throw InputError(str(data.name, ": has values and no classes to choose from"));
  std::vector<std::int32_t> becomes(data.class_names.size(), -1);
  Dataset some = data;
  some.class_names.assign(names.begin(), names.end());
  some.bytes.clear(), some.places.clear(), some.values.clear(), some.labels.clear(), some.files.clear();
  some.weights.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find(data.class_names, names[i]);
    if (found == data.class_names.end()) {
      throw InputError(str(data.name, ": has no class ", in_quotes(names[i]), "; its classes are ",
                           data.class_names.size() > 12 ? str(data.class_names[0], " to ", data.class_names.back())
                                                        : alternatives(data.class_names, " and ")));
    }
    auto& label = becomes[static_cast<std::size_t>(found - data.class_names.begin())];
    if (label >= 0) throw InputError(str(data.name, ": the class ", in_quotes(names[i]), " is chosen twice"));
    label = static_cast<std::int32_t>(i);
  }
  const auto each = static_cast<std::ptrdiff_t>(elements(data.sample));
  const auto copy = [&](const auto& from, auto& to, std::size_t sample) {
    if (from.empty()) return;
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(sample) * each;
    to.insert(to.end(), begin, begin + each);
  };
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto label = becomes[static_cast<std::size_t>(data.labels[i])];
    if (label < 0) continue;
    copy(data.bytes, some.bytes, i);
    copy(data.values, some.values, i);
    if (!data.places.empty()) some.places.push_back(data.places[i]);
    some.labels.push_back(label);
    if (!data.files.empty()) some.files.push_back(data.files[i]);
    if (!data.weights.empty()) some.weights.push_back(data.weights[i]);
  }
  return some;
}

}  // namespace chalk
