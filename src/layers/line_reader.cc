#include "src/layers/line_reader.h"

#include <algorithm>

#include "src/base/wording.h"

namespace chalk {

// Every character before the first that is not plain ASCII is one byte, and reading ends there; so bytes count
// characters.
void Line::fail(std::size_t offset, const std::string& message) const {
  throw InputError(str(what, " ", in_quotes(text), ": character ", offset + 1, ": ", message));
}

bool LineReader::take(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  place_ += word.size();
  return true;
}

char LineReader::take_one_of(std::string& letters) {
  const auto found = done() ? std::string::npos : letters.find(item_[place_]);
  if (found == std::string::npos) return 0;
  letters.erase(found, 1);
  return item_[place_++];
}

std::int64_t LineReader::number(std::string_view name) {
  const auto start = place_;
  std::int64_t value = 0;
  for (; at_digit(); ++place_) value = std::min(value * 10 + (item_[place_] - '0'), kMostNumber + 1);
  if (value < 1) fail(str(name, " must be at least 1"), place_ - start);
  if (value > kMostNumber) {
    fail(str(in_quotes(item_.substr(start, place_ - start)), " is too large; numbers are at most ",
             grouped(static_cast<std::uint64_t>(kMostNumber))),
         place_ - start);
  }
  return value;
}

Pair LineReader::sizes(std::string_view name, const std::string& hint) {
  if (!at_digit()) fail(str("the ", name, " of ", in_quotes(item_), " is missing", hint));
  const auto rows = number(name);
  if (!take("x")) return {rows, rows};
  if (!at_digit()) fail(str("the second number of the ", name, " is missing; write e.g. 3x5"));
  return {rows, number(name)};
}

double LineReader::fraction(std::string_view name, double usual, const Range& range, std::string_view rule) {
  constexpr std::size_t most = 15;  // digits that a double holds exactly, so that the quotient is the nearest double
  if (!at_digit()) return usual;
  const auto start = place_;
  double value = 0, scale = 1;
  for (; at_digit(); ++place_) value = value * 10 + (item_[place_] - '0');
  if (take(".")) {
    if (!at_digit()) fail(str("the ", name, " has no digit after its point"));
    for (; at_digit(); ++place_, scale *= 10) value = value * 10 + (item_[place_] - '0');
  }
  if (place_ - start > most) fail(str("the ", name, " has more than ", most, " characters"), place_ - start);
  value /= scale;
  if (!range.contains(value)) fail(str(rule, ", not ", value), place_ - start);
  return value;
}

}  // namespace chalk
