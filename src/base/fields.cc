#include "src/base/fields.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk {
namespace {

template <class T>
void check(const Field& field, T value) {
  if (field.range.contains(static_cast<double>(value))) return;
  throw InputError(str(field.name, " is ", value, "; it must be ", field.range.text()));
}

}  // namespace

bool Range::contains(double value) const {
  if (!std::isfinite(value)) return false;
  return (without_least ? value > least : value >= least) && (without_most ? value < most : value <= most);
}

std::string Range::text() const {
  const bool lower = std::isfinite(least), upper = std::isfinite(most);
  const auto low = shortest(least), high = shortest(most);
  if (lower && upper && !without_least && !without_most) return str("from ", low, " to ", high);
  if (lower && upper)
    return str(without_least ? "above " : "at least ", low, " and ", without_most ? "below " : "at most ", high);
  if (lower) return str(without_least ? "a number above " : "a number of at least ", low);
  if (upper) return str(without_most ? "a number below " : "a number of at most ", high);
  return "a number";
}

void RangeChecker::field(const Field& field, std::int64_t& value) { check(field, value); }
void RangeChecker::field(const Field&, bool&) {}
void RangeChecker::field(const Field& field, double& value) { check(field, value); }
void RangeChecker::field(const Field&, std::string&) {}
void RangeChecker::field(const Field& field, std::vector<std::int64_t>& value) {
  for (const auto element : value) check(field, element);
}
void RangeChecker::field(const Field& field, std::vector<double>& value) {
  for (const auto element : value) check(field, element);
}

std::string with_dashes(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', '-');
  return words;
}

}  // namespace chalk
