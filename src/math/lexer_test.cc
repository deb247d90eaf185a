#include "src/math/lexer.h"

#include <gtest/gtest.h>

#include "src/math/error.h"

namespace chalk::math {
namespace {

/// The words with blanks between; a name with its primes.
std::string words(std::string_view text) {
  std::string all;
  for (const auto& token : lex(text)) {
    if (token.kind == Token::Kind::end) break;
    all += (all.empty() ? "" : " ") + token.text + std::string(static_cast<std::size_t>(token.primes), '\'');
  }
  return all;
}

std::string columns(std::string_view text) {
  std::string all;
  for (const auto& token : lex(text))
    all += (all.empty() ? "" : " ") + std::to_string(token.place.column) + "+" + std::to_string(token.place.length);
  return all;
}

std::string lexer_refusal(std::string_view text) {
  return refusal([&] { lex(text); });
}

TEST(Lexer, ReadsNamesWithDigitsAndPrimes) {
  EXPECT_EQ(words("W1*x_out + f''(z1') - _a"), "W1 * x_out + f'' ( z1' ) - _a");
  EXPECT_EQ(lex("z''")[0].primes, 2);
  EXPECT_EQ(lex("z''")[0].text, "z");
  EXPECT_EQ(lex("z′")[0].primes, 1);
}

TEST(Lexer, ReadsGreekLettersAsOneWouldTypeThem) {
  EXPECT_EQ(words("δ3[i] + ∂S/∂W1 + Δw + Σ(η) ∏ λx"), "delta3 [ i ] + dS / dW1 + Deltaw + sum ( eta ) prod lambdax");
}

TEST(Lexer, ReadsMathematicalSigns) {
  EXPECT_EQ(words("a·b × c − d ⊙ e ∘ f ᵀ ≠ ≤ ≥ ≈ … ≔"), "a * b * c - d .* e .* f ^T != <= >= ~= .. :=");
  EXPECT_EQ(words("a.*b./c@d^T:=e~=f"), "a .* b ./ c @ d ^ T := e ~= f");
}

TEST(Lexer, TellsNumbersFromRanges) {
  EXPECT_EQ(words("0..3"), "0 .. 3");
  EXPECT_EQ(words("0.5..1"), "0.5 .. 1");
  EXPECT_EQ(words("-1..1e-3"), "- 1 .. 1e-3");
  EXPECT_EQ(words("2.*v"), "2 .* v");
  EXPECT_EQ(words("8x8"), "8 x8");
  EXPECT_EQ(lex("2.5e-3")[0].number, 2.5e-3);
  EXPECT_EQ(words("2exp"), "2 exp");  // and the e is no exponent
  EXPECT_EQ(words("2e"), "2 e");
}

TEST(Lexer, ReadsTextInQuotes) {
  const auto tokens = lex("\"any # words; \" x");
  EXPECT_EQ(tokens[0].kind, Token::Kind::text);
  EXPECT_EQ(tokens[0].text, "any # words; ");
  EXPECT_EQ(tokens[1].text, "x");
}

TEST(Lexer, CountsCharactersNotBytes) {
  EXPECT_EQ(columns("ab+c"), "1+2 3+1 4+1 5+1");
  EXPECT_EQ(columns("δδ·Σ a"), "1+2 3+1 4+1 6+1 7+1");
  EXPECT_EQ(columns("f'' x"), "1+3 5+1 6+1");
}

TEST(Lexer, CountsLines) {
  const auto tokens = lex("a +\n  b", 7, 5);
  EXPECT_EQ(tokens[0].place.line, 7);
  EXPECT_EQ(tokens[0].place.column, 5);
  EXPECT_EQ(tokens[2].place.line, 8);
  EXPECT_EQ(tokens[2].place.column, 3);
}

TEST(Lexer, RefusesWhatMeansNothing) {
  EXPECT_EQ(lexer_refusal("α + $x"), "5 \"$\" cannot stand in a formula; docs/check.md lists what can");
  EXPECT_EQ(lexer_refusal("x + 日"), "5 \"日\" cannot stand in a formula; docs/check.md lists what can");
  EXPECT_EQ(lexer_refusal("x + 'y"), "5 a ' must follow the name of a function or value directly");
  EXPECT_EQ(lexer_refusal("x = \"never closed"), "5 a text that begins here has no second \"");
  EXPECT_EQ(lexer_refusal("1e999"), "1 \"1e999\" is too large or too small for a number");
  EXPECT_EQ(lexer_refusal("z'''''"), "1 more than 4 primes; use another name");
  EXPECT_EQ(lexer_refusal(std::string(61, 'a')), "1 a name of 61 letters; names have at most 60");
}

}  // namespace
}  // namespace chalk::math
