#include "src/base/fields.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk {
namespace {

/// 1000000, not 1e+06.
std::string plain(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : shortest(value);
}

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
  const auto low = plain(least), high = plain(most);
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
void RangeChecker::field(const Field& field, std::string& value) {
  if (field.check_text) field.check_text(value);
}
void RangeChecker::field(const Field& field, std::vector<std::int64_t>& value) {
  for (const auto element : value) check(field, element);
}
void RangeChecker::field(const Field& field, std::vector<double>& value) {
  for (const auto element : value) check(field, element);
}

namespace {

class TextWriter : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t& value) override { put(field, std::to_string(value)); }
  void field(const Field& field, bool& value) override { put(field, value ? "true" : "false"); }
  void field(const Field& field, double& value) override { put(field, plain(value)); }
  void field(const Field& field, std::string& value) override { put(field, value); }
  void field(const Field& field, std::vector<std::int64_t>& value) override { put(field, list(value)); }
  void field(const Field& field, std::vector<double>& value) override { put(field, list(value)); }

  std::vector<std::pair<std::string, std::string>> texts;

 private:
  void put(const Field& field, std::string text) { texts.emplace_back(field.name, std::move(text)); }
  template <class T>
  static std::string list(const std::vector<T>& values) {
    std::string text;
    for (const auto value : values) text += (text.empty() ? "" : ", ") + plain(static_cast<double>(value));
    return text;
  }
};

}  // namespace

std::vector<std::pair<std::string, std::string>> texts_of(const std::function<void(FieldVisitor&)>& visit) {
  TextWriter writer;
  visit(writer);
  return std::move(writer.texts);
}

std::string with_dashes(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', '-');
  return words;
}

}  // namespace chalk
