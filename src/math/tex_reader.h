// Formulas in LaTeX, as authors write them, to the words of the language of derivations: W^{(2)}_{ji} to W2[j,i],
// \frac{\partial S}{\partial y_h} to dS/dy[h], products without a sign to products. What is not understood, or could
// mean two things, is refused with its place; nothing is guessed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/math/lexer.h"
#include "src/math/statements.h"
#include "src/math/symbols.h"
#include "src/math/tex_nodes.h"

namespace chalk::math {

using TexNodes = std::vector<TexNode>;

/// What documents leave to their readers, said in rules.
struct TexRules {
  struct Pattern {
    std::vector<std::string> nodes;  // in canonical form
    std::vector<Token> becomes;
  };
  std::map<std::string, Token, std::less<>> names;              // a name with its superscript: "W^{(1)}"
  std::vector<Pattern> patterns;                                // the last that fits counts
  std::map<std::string, std::vector<int>, std::less<>> layers;  // "l" is 1, 2
  std::optional<int> first_index;                               // indices count from 0 or 1
  std::map<std::string, std::string, std::less<>> arguments;    // "t" in y_i(t) is "first", "last", "dropped"
  std::vector<Token> ranges;                                    // "for i=0..3", of the next equation
  TexNodes restriction;                                         // "where i \neq j", of the next equation

  /// "read W^{(1)} as W1", "layers l = 1, 2", … Throws FormulaError.
  void add(const Statement& rule, const TexMacros& macros);
};

/// The statements of a line: it is cut at \quad, commas and arrows. Those behind "if", "for", "where" are not read.
struct TexParts {
  std::vector<TexNodes> parts;
  std::string remark;
  TexNodes restriction{};  // i \neq j behind the last part
};
TexParts parts_of(const TexNodes& line);

/// The layers that a statement is about: the values of the letter in it that stands for several, or nothing.
std::pair<std::string, std::vector<int>> layers_in(const TexNodes& nodes, const TexRules& rules);

/// The words of a statement, two statements if it defines a name and goes on ("L = … = …"). `layer`: what a letter is
/// here. `end`: the place behind it. Throws FormulaError.
std::vector<std::vector<Token>> read_statement(const TexNodes& nodes, const Symbols& symbols, const TexRules& rules,
                                               std::pair<std::string, int> layer, Place end,
                                               const TexNodes& restriction = {});

}  // namespace chalk::math
