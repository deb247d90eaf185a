// Characters to words: names, numbers, operators. Greek letters and mathematical signs mean what one types without
// them: α for alpha, ∂ for d, Σ for sum, ⊙ for .*, · and × for *, − for -, ᵀ for ^T, ² for ^2, ≠ ≤ ≥ ≈ for
// != <= >= ~=.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/math/expr.h"

namespace chalk::math {

struct Token {
  enum class Kind : std::uint8_t { name, number, symbol, text, end };
  Kind kind = Kind::end;
  std::string text{};  // of a name without its primes; of a symbol as typed in ASCII; of a text without its quotes
  int primes = 0;
  double number = 0;
  Place place{};
  bool implied = false;  // a "*" that was not written; between vectors and matrices it is their product
};

/// The tokens of one statement, an `end` last. `line` and `column` are where the text begins. A newline in the text
/// counts as a space. Throws FormulaError at a character that means nothing.
std::vector<Token> lex(std::string_view text, int line = 1, int column = 1);

/// What one would type for the mathematical sign that the text begins with: "*" for ·; else nothing.
std::string_view typed(std::string_view text);
/// "alpha" for a text that is α; else nothing.
std::string_view typed_letter(std::string_view text);
/// "alpha" if there is a Greek letter that is called so; else nothing.
std::string_view typed_letter_named(std::string_view name);

}  // namespace chalk::math
