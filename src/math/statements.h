// A text cut into statements: lines, joined where brackets are open, or an operator or ">" is at the break.
// Comments begin with #; lines that begin with % quote the document that the next statement is from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/math/expr.h"

namespace chalk::math {

struct Statement {
  std::string text{};   // without its label and comments; line breaks are kept
  Place place{};        // of its first character
  std::string label{};  // "10" of "(10)"
  std::vector<std::string> source{};
};

/// Throws FormulaError for a text that is too large, not UTF-8, or has control characters in it.
void check_text(std::string_view text);

/// Throws FormulaError as check_text() does.
std::vector<Statement> split_statements(std::string_view text);

}  // namespace chalk::math
