#include "src/math/equation.h"

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/print.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kLongestRange = 1 << 20;

std::string join(const Equation& equation, std::string (*print)(const Expr&), const char* equal, const char* about) {
  std::string text;
  for (std::size_t k = 0; k < equation.members.size(); ++k) {
    if (k > 0 || equation.continues) text += str(text.empty() ? "" : " ", equation.approximate[k] ? about : equal, " ");
    text += print(*equation.members[k]);
  }
  return text;
}

}  // namespace

Equation read_equation(Tokens& tokens, const Symbols& symbols) {
  Equation equation;
  const auto at_sign = [&] { return tokens.at("=") || tokens.at("==") || tokens.at("~="); };
  equation.continues = at_sign();
  if (!equation.continues) {
    equation.members.push_back(parse_formula(tokens, symbols));
    equation.approximate.push_back(false);
  }
  while (at_sign()) {
    equation.approximate.push_back(tokens.next().text == "~=");
    equation.members.push_back(parse_formula(tokens, symbols));
  }
  equation.ranges = read_ranges(tokens);
  expect_end(tokens);
  return equation;
}

std::vector<Bound> read_ranges(Tokens& tokens) {
  std::vector<Bound> found;
  if (!tokens.take_word("for")) return found;
  do {
    Bound bound;
    bound.place = tokens.peek().place;
    bound.name = tokens.name("an index");
    tokens.expect("=", "\"=\" and the range of the index");
    const auto first = tokens.whole_number("the first value");
    tokens.expect("..", "\"..\" and the last value");
    const auto last = tokens.whole_number("the last value");
    if (last < first || last - first >= kLongestRange)
      throw FormulaError(bound.place, str("a range is written i=0..3 and has at most ", kLongestRange, " values"));
    bound.range = {first, last};
    found.push_back(std::move(bound));
  } while (tokens.take(","));
  return found;
}

void apply(const std::vector<Bound>& ranges, Elaborator& elaborator, Indices& indices) {
  for (const auto& bound : ranges) {
    Index& index = indices[elaborator.free_index(bound.name, bound.place)];
    index.range = bound.range;
    index.written = true;
  }
}

void expect_end(const Tokens& tokens) {
  if (tokens.done()) return;
  tokens.fail(str(in_quotes(tokens.peek().text), " was not expected here; a statement ends with its line, or with ;"));
}

std::string to_text(const std::vector<Bound>& ranges) {
  std::string text;
  for (const auto& bound : ranges)
    text += str(text.empty() ? " for " : ", ", bound.name, "=", bound.range->first, "..", bound.range->second);
  return text;
}

std::string to_text(const Equation& equation) { return join(equation, to_text, "=", "~=") + to_text(equation.ranges); }
std::string to_latex(const Equation& equation) { return join(equation, to_latex, "=", "\\approx"); }
std::string to_mathml(const Equation& equation) {
  return str("<mrow>", join(equation, to_mathml, "<mo>=</mo>", "<mo>≈</mo>"), "</mrow>");
}

}  // namespace chalk::math
