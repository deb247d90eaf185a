// Statements that make things known: network, samples, given, functions, NAME in …, NAME := …
#pragma once

#include <optional>
#include <string>

#include "src/math/parser.h"
#include "src/math/part.h"

namespace chalk::math {

/// A declaration as it is shown. Its LaTeX is empty where there is nothing to typeset.
struct Declaration {
  std::string text, latex;
  bool names = false;  // a := that a document would print
  ExprPtr value{};     // what it defines, with its indices, if that is no function
};

/// Reads the statement if it is a declaration. Throws FormulaError.
std::optional<Declaration> declare(Part& part, Tokens& tokens, const std::string& text);

}  // namespace chalk::math
