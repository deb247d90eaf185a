#include "src/data/class_words.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

void sort_classes(std::vector<std::string>& words) {
  const bool numbers = std::ranges::all_of(words, [](const std::string& word) {
    const auto value = number_in<double>(word);
    return value && std::isfinite(*value);
  });
  // Bytes of UTF-8 are in the order of code points.
  std::ranges::sort(words, [&](const std::string& a, const std::string& b) {
    if (!numbers) return a < b;
    const double x = *number_in<double>(a), y = *number_in<double>(b);
    return x != y ? x < y : a < b;
  });
}

ClassWords::ClassWords(const std::vector<std::string>& of_network)
    : names_(of_network), of_network_(!of_network.empty()), fixed_(of_network_) {
  for (const auto& name : names_) numbers_.emplace(name, static_cast<std::int32_t>(numbers_.size()));
}

std::int32_t ClassWords::number(std::string_view word, std::string_view where) {
  if (const auto found = numbers_.find(word); found != numbers_.end()) return found->second;
  if (!fixed_) {
    names_.emplace_back(word);
    return numbers_.emplace(word, static_cast<std::int32_t>(numbers_.size())).first->second;
  }
  constexpr std::size_t kMostNamed = 12;
  const auto known = names_.size() > kMostNamed ? str(names_[0], " to ", names_.back()) : alternatives(names_, " and ");
  throw InputError(str(where, ": the class ", in_quotes(word), " is none of those that ",
                       of_network_ ? "the network knows: " : "have training samples: ", known,
                       of_network_ ? "; rename it, or choose classes by #NAME,NAME" : "; rename it, or leave it out"));
}

void ClassWords::sort_and_fix(std::vector<std::int32_t>& labels) {
  if (fixed_) return;
  fixed_ = true;
  const auto came = names_;
  sort_classes(names_);
  for (std::size_t i = 0; i < names_.size(); ++i) numbers_[names_[i]] = static_cast<std::int32_t>(i);
  for (auto& label : labels) label = numbers_[came[static_cast<std::size_t>(label)]];
}

}  // namespace chalk
