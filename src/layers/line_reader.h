// Reads one layer of a line, character by character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chalkgrad/ops.h"
#include "src/layers/layer.h"

namespace chalk {

/// A network in a line.
struct Line {
  std::string_view text;
  std::string_view what;  // how messages call it

  /// Throws InputError that points at a character: 0 is the first one.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const;
};

/// One layer of it, such as 20c5zs2. All of these throw InputError that points at the character.
class LineReader {
 public:
  /// `begin`: where the item is in the line.
  LineReader(const Line& line, std::size_t begin, std::string_view item) : line_(line), begin_(begin), item_(item) {}

  bool done() const { return place_ == item_.size(); }
  bool at_digit() const { return !done() && item_[place_] >= '0' && item_[place_] <= '9'; }
  std::string_view item() const { return item_; }
  std::string_view before() const { return item_.substr(0, place_); }
  std::string_view rest() const { return item_.substr(place_); }

  bool take(std::string_view word);
  /// The next character, if it is one of `letters`, from which it is then removed; otherwise 0.
  char take_one_of(std::string& letters);
  /// From 1 to kMostNumber. `name` is how messages call it.
  std::int64_t number(std::string_view name);
  /// "5" or "3x5". `hint` is what messages add if it is missing: "; write e.g. s2".
  Pair sizes(std::string_view name, const std::string& hint);
  /// "0.25", or `usual` if no digit follows. If it is out of the range, fails "RULE, not 0.25".
  double fraction(std::string_view name, double usual, const Range& range, std::string_view rule);

  /// The number in front of the word of a counted layer.
  std::int64_t count() const { return count_; }
  void count(std::int64_t count) { count_ = count; }

  /// Points at the next character, or `back` characters before it.
  [[noreturn]] void fail(const std::string& message, std::size_t back = 0) const {
    line_.fail(begin_ + place_ - back, message);
  }

 private:
  const Line& line_;
  std::size_t begin_;
  std::string_view item_;
  std::size_t place_ = 0;  // how far it is read
  std::int64_t count_ = 0;
};

}  // namespace chalk
