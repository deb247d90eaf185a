// What typesetting in LaTeX and in MathML share: how tightly expressions bind, and how names are taken apart.
#pragma once

#include <string_view>

#include "src/math/expr.h"

namespace chalk::math {

/// How tightly an expression binds; brackets are needed where a looser one is an operand of a tighter one.
enum Tightness : int { kSum = 1, kTerm = 2, kFactor = 3, kPower = 4, kAtom = 5 };
Tightness tightness(const Expr& e);
/// Of a typeset operand: a sum over indices reaches as far to the right as it can, a fraction holds itself together.
/// `last`: nothing follows that such a sum would swallow.
bool needs_brackets(const Expr& e, Tightness least, bool last);
/// A sum or product whose indices all have their ranges: these are written below and above a sign for each.
bool has_limits(const Expr& e);
/// A @ B .* C is read from the left; brackets say so to people.
Tightness left_of_elementwise(const Expr& left);

/// "Deltaw1_out": Δ, w, 1, out.
struct NameParts {
  std::string_view greek{};   ///< "Delta", or nothing
  std::string_view letter{};  ///< the sign itself, in UTF-8: "Δ"
  std::string_view word{};    ///< "w"
  std::string_view layer{};   ///< digits: "1"
  std::string_view below{};   ///< "out"
  std::string_view accent{};  ///< in place of `below`: "hat" of "m_hat", "bar" or "tilde"
};
NameParts parts_of(std::string_view name);

}  // namespace chalk::math
