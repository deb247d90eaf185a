// Statements that make things known: network, optimizer, samples, given, functions, NAME in …, NAME := …
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/math/expr.h"
#include "src/math/parser.h"
#include "src/math/part.h"

namespace chalk::math {

/// A declaration as it is shown. Its LaTeX and MathML are empty where there is nothing to typeset.
struct Declaration {
  std::string text, latex, mathml;
  ExprPtr defined{};            // the value that := defines, with its indices
  std::vector<Bound> ranges{};  // and those given with "for"
  bool names = false;           // a := that a document would print
};

/// Reads the statement if it is a declaration. Throws FormulaError.
std::optional<Declaration> declare(Part& part, Tokens& tokens, const std::string& text);

}  // namespace chalk::math
