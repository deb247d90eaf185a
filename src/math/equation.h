// Equations as read: `a = b ≈ c for i=0..3`.
#pragma once

#include <string>
#include <vector>

#include "src/math/elaborate.h"
#include "src/math/expr.h"
#include "src/math/parser.h"
#include "src/math/symbols.h"

namespace chalk::math {

struct Equation {
  std::vector<ExprPtr> members;
  std::vector<bool> approximate;  // before each member; the first one's says something only if the equation continues
  std::vector<Bound> ranges;
  bool continues = false;  // begins with "="
};

/// Reads the whole statement. Throws FormulaError.
Equation read_equation(Tokens& tokens, const Symbols& symbols);

/// `for i=0..3, j=1..2`, or nothing.
std::vector<Bound> read_ranges(Tokens& tokens);
/// These indices get these ranges.
void apply(const std::vector<Bound>& ranges, Elaborator& elaborator, Indices& indices);
/// Throws FormulaError if the statement goes on.
void expect_end(const Tokens& tokens);

std::string to_text(const std::vector<Bound>& ranges);
std::string to_text(const Equation& equation);
std::string to_latex(const Equation& equation);
std::string to_mathml(const Equation& equation);

}  // namespace chalk::math
