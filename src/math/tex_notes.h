// Notes beside a document in LaTeX or Markdown: what is said about its formulas, where, and what is repaired in it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/math/expr.h"

namespace chalk::math {

/// A line that says something about the formulas, without what marks it; blanks keep its columns.
struct NoteLine {
  int line = 0;
  std::string text;
};

/// Where notes are put: before or after line or equation N.
struct Anchor {
  bool after = false, equation = true;
  int number = 1;
};

struct Repair {
  int line = 0;
  std::string from, to;
  Place place{};
};

struct Notes {
  std::vector<std::pair<Anchor, std::vector<NoteLine>>> blocks;
  std::vector<Repair> repairs;
};

/// Throws NotesError.
Notes read_notes(std::string_view text);
/// The document with characters corrected. Throws NotesError where there is nothing to repair.
std::string repaired(std::string_view text, const std::vector<Repair>& repairs);

// Words of a text.
std::string_view trimmed(std::string_view text);
std::string_view first_word(std::string_view text);

}  // namespace chalk::math
