#include "src/base/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chalkgrad/error.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

/// 1000000, not 1e+06.
std::string plain(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : shortest(value);
}

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(double value) { return plain(value); }
std::string text_of(const std::string& value) { return value; }
template <class T>
std::string text_of(const std::vector<T>& values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "" : ", ") + text_of(value);
  return text;
}

void check(const Field&, bool) {}
void check(const Field& field, const std::string& value) {
  if (field.check_text) field.check_text(value);
}
template <class T>
void check(const Field& field, T value) {
  if (field.range.contains(static_cast<double>(value))) return;
  throw InputError(str(field.name, " is ", value, "; it must be ", field.range.text()));
}
template <class T>
void check(const Field& field, const std::vector<T>& values) {
  for (const auto value : values) check(field, value);
}

}  // namespace

bool Range::contains(double value) const {
  if (!std::isfinite(value)) return false;
  return (without_least ? value > least : value >= least) && (without_most ? value < most : value <= most);
}

std::string Range::text() const {
  const bool lower = std::isfinite(least), upper = std::isfinite(most);
  const auto low = plain(least), high = plain(most);
  if (lower && upper && !without_least && !without_most) return str("from ", low, " to ", high);
  if (lower && upper)
    return str(without_least ? "above " : "at least ", low, " and ", without_most ? "below " : "at most ", high);
  if (lower) return str(without_least ? "a number above " : "a number of at least ", low);
  if (upper) return str(without_most ? "a number below " : "a number of at most ", high);
  return "a number";
}

void FieldVisitor::pair(const Field& field, std::array<std::int64_t, 2>& value, std::string*) {
  std::vector<std::int64_t> both(value.begin(), value.end());
  this->field(field, both);
  if (both.size() != value.size()) refuse(field.name, "must be two numbers: vertical, horizontal");
  std::ranges::copy(both, value.begin());
}

void FieldVisitor::choice(const Field& field, std::span<const Word> words, std::size_t& index) {
  std::string word(words[index].word);
  this->field(field, word);
  const auto found = std::ranges::find(words, word, &Word::word);
  if (found == words.end()) {
    std::string known;
    for (const auto& each : words) known += str(known.empty() ? "" : ", ", each.word);
    refuse(field.name, str("must be one of ", known, ", not ", in_quotes(word)));
  }
  index = static_cast<std::size_t>(found - words.begin());
}

void FieldVisitor::words(const Field&, std::vector<std::string>&) {}

void FieldVisitor::refuse(std::string_view name, const std::string& message) {
  throw InputError(str(name, " ", message));
}

void check_fields(const VisitFields& visit) {
  FieldFunction checker([](const Field& field, const auto& value) { check(field, value); });
  visit(checker);
}

std::vector<std::pair<std::string, std::string>> texts_of(const VisitFields& visit) {
  std::vector<std::pair<std::string, std::string>> texts;
  FieldFunction writer([&](const Field& field, const auto& value) { texts.emplace_back(field.name, text_of(value)); });
  visit(writer);
  return texts;
}

std::pair<std::int64_t, std::int64_t> whole_numbers(const Range& range) {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  const bool lower = std::isfinite(range.least), upper = std::isfinite(range.most);
  const auto otherwise = lower ? std::numeric_limits<std::int64_t>::max() : most;
  return {lower ? static_cast<std::int64_t>(range.least) : -most,
          upper ? static_cast<std::int64_t>(range.most) : otherwise};
}

std::string with_dashes(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', '-');
  return words;
}

}  // namespace chalk
