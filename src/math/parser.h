// Words to trees. docs/check.md gives the grammar.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "src/math/expr.h"
#include "src/math/lexer.h"
#include "src/math/symbols.h"

namespace chalk::math {

/// Walks over the tokens of a statement.
class Tokens {
 public:
  explicit Tokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool done() const { return peek().kind == Token::Kind::end; }
  bool at(std::string_view symbol, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::symbol && peek(ahead).text == symbol;
  }
  bool at_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::name && peek(ahead).text == word;
  }
  bool take(std::string_view symbol) { return at(symbol) && (next(), true); }
  bool take_word(std::string_view word) { return at_word(word) && (next(), true); }
  /// Throws FormulaError, "`what` expected".
  void expect(std::string_view symbol, std::string_view what);
  std::string name(std::string_view what);
  std::int64_t whole_number(std::string_view what);  // with a sign
  [[noreturn]] void fail(std::string_view message) const;

  std::size_t count() const { return tokens_.size(); }
  std::size_t position() const { return at_; }
  void position(std::size_t at) { at_ = at; }

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

/// 8x8, 1×8×8, 5. Throws FormulaError.
Shape read_shape(Tokens& tokens);

/// Reads one formula and stops where it ends (at "=", ",", "for", …). `symbols` tell a derivative dS/dW from a
/// quotient, and names from indices; `parameter` is the parameter of the function being defined, if any. Throws
/// FormulaError.
ExprPtr parse_formula(Tokens& tokens, const Symbols& symbols, std::string_view parameter = {});

/// The whole text is one formula.
ExprPtr parse_formula(std::string_view text, const Symbols& symbols);

}  // namespace chalk::math
