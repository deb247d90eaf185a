// Formulas as people write them: in plain text, which can be read back, in LaTeX and in MathML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/math/expr.h"

namespace chalk::math {

/// `sum(b, c, W1[d-b,e-c]*x[b,c]) + b1[d,e]`
std::string to_text(const Expr& formula);
/// `\sum_{b,c} W^{(1)}_{d-b,e-c}\, x_{b,c} + b^{(1)}_{d,e}`
std::string to_latex(const Expr& formula);
/// The same as presentation MathML, `<mrow>…</mrow>`, in elements of MathML Core: what goes into a <math> element.
std::string to_mathml(const Expr& formula);
/// That of each term of a sum, with its sign, for lines that end before one.
std::vector<std::string> mathml_terms(const Expr& formula);

/// W1 → W^{(1)}, alpha → \alpha, deltaL → \delta^{L}, z_out → z_{out}.
std::string latex_name(std::string_view name, int primes = 0);
std::string mathml_name(std::string_view name, int primes = 0);
/// Words in LaTeX: \text{50\% of them}.
std::string latex_words(std::string_view words);
std::string mathml_words(std::string_view words);

}  // namespace chalk::math
