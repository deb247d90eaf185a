// LaTeX, as far as formulas go: characters to a list of nodes, each with its sub- and superscripts and its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/math/expr.h"
#include "src/math/tex_macros.h"

namespace chalk::math {

struct TexNode {
  enum class Kind : std::uint8_t {
    letter,   // W, \alpha (text "alpha"), \hat w ("w_hat"); one of a name's letters
    number,   // 12, 0.5
    word,     // \text{loss}, \operatorname{softmax}, \exp, \sum, \partial: text without the backslash
    sign,     // + - = ( ) [ ] , / | … and \cdot, \odot, … as chalk types them; & and \\ (text "\\")
    group,    // {…}: args[0] are its nodes
    command,  // \frac, \sqrt, \boxed, \binom: args are its arguments; \begin{…}: text is the environment's name
  };
  Kind kind = Kind::sign;
  std::string text{};
  std::vector<std::vector<TexNode>> args{};
  std::vector<TexNode> sub{}, sup{};
  int primes = 0;
  Place place{};

  bool is(std::string_view what) const { return kind == Kind::sign && text == what; }
  bool is_word(std::string_view what) const { return kind == Kind::word && text == what; }
  bool is_name() const { return kind == Kind::letter || kind == Kind::word; }
  bool plain() const { return sub.empty() && sup.empty() && primes == 0; }
};

/// What a message quotes of a node.
std::string shown(const TexNode& node);

/// The nodes of a formula. `place`: of its first character. Comments, spaces, fonts and sizes are left out. Throws
/// FormulaError for what is not closed, too deep, or too long.
std::vector<TexNode> read_tex(std::string_view text, Place place, const TexMacros& macros);

}  // namespace chalk::math
