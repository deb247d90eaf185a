// A derivation as a document in LaTeX.
#include <array>
#include <string>

#include "chalkgrad/derive.h"
#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/derive/document.h"
#include "src/math/print.h"

namespace chalk {
namespace {

/// The class and packages are in every installation. A line that is too wide for the page is made smaller.
constexpr std::string_view kPreamble = R"(\documentclass[a4paper,10pt]{article}
\usepackage[T1]{fontenc}
\usepackage{amsmath,graphicx,geometry}
\geometry{margin=20mm}
\setlength{\parindent}{0pt}
\newsavebox{\formula}
\newcommand{\fitted}[1]{\savebox{\formula}{$\displaystyle #1$}%
  \ifdim\wd\formula>\linewidth\resizebox{\linewidth}{!}{\usebox{\formula}}\else\usebox{\formula}\fi}
\newcommand{\rewritten}[2]{\par\smallskip\hspace*{2em}\begin{minipage}{\dimexpr\linewidth-2em}\raggedright
  \if\relax\detokenize{#1}\relax\else{\footnotesize #1}\\[1pt]\fi\fitted{#2}\end{minipage}\par}
\newcommand{\equationof}[1]{\par\bigskip\fitted{#1}\par}
)";

/// In few pages: rules beside formulas.
constexpr std::string_view kBrief = R"(\geometry{margin=15mm}
\renewcommand{\rewritten}[2]{\par\hspace*{1em}\begin{minipage}[c]{.72\linewidth}\fitted{#2}\end{minipage}\hfill
  \begin{minipage}[c]{.23\linewidth}\raggedright\footnotesize #1\end{minipage}\par}
\renewcommand{\equationof}[1]{\par\smallskip\fitted{#1}\par}
\renewcommand{\subsection}[2]{\par\medskip{\bfseries #2}\par}
\AtBeginDocument{\small}
)";

/// Words with what TeX has a command for.
std::string words(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 31> kSigns{
      {{"δ", "$\\delta$"},   {"∂", "$\\partial$"},   {"Σ", "$\\sum$"},
       {"σ", "$\\sigma$"},   {"×", "$\\times$"},     {"−", "$-$"},
       {"²", "$^2$"},        {"½", "$\\frac12$"},    {"′", "$'$"},
       {"·", "$\\cdot$"},    {"←", "$\\leftarrow$"}, {"√", "$\\surd$"},
       {"ε", "$\\epsilon$"}, {"ŝ", "$\\hat s$"},     {"m̂", "$\\hat m$"},
       {"v̂", "$\\hat v$"},   {"ᵗ", "$^t$"},          {"⁺", "$^+$"},
       {"¹", "$^1$"},        {"ρ", "$\\rho$"},       {"ᵀ", "$^{\\mathsf T}$"},
       {"≤", "$\\leq$"},     {"∞", "$\\infty$"},     {"μ", "$\\mu$"},
       {"β", "$\\beta$"},    {"γ", "$\\gamma$"},     {"φ", "$\\varphi$"},
       {"ψ", "$\\psi$"},     {"∇", "$\\nabla$"},     {"…", "\\ldots{}"},
       {"≈", "$\\approx$"}}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    bool found = false;
    for (const auto& [sign, command] : kSigns) {
      if (!text.substr(i).starts_with(sign)) continue;
      out += command;
      i += sign.size();
      found = true;
      break;
    }
    if (found) continue;
    if (static_cast<unsigned char>(text[i]) >= 0x80) {  // another letter: not every installation knows it
      out += begins_character(text[i]) ? "?" : "";
      ++i;
      continue;
    }
    if (std::string_view("%$&#_{}").find(text[i]) != std::string_view::npos) out += '\\';
    if (text[i] == '\\' || text[i] == '^' || text[i] == '~') {
      out += str("\\char", static_cast<int>(text[i]), " ");
    } else {
      out += text[i];
    }
    ++i;
  }
  return out;
}

std::string name_of(std::string_view name) {
  const auto [letters, primes] = calculus::without_primes(name);
  return math::latex_name(letters, primes);
}

std::string shape_in_latex(const Shape& shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : " \\times ") + std::to_string(extent);
  return shape.empty() ? "a number" : "$" + text + "$";
}

std::string numbers_in_latex(const DerivedNumbers& numbers) {
  return str("{\\footnotesize\\raggedright $\\approx$ ", words(calculus::text_of(numbers)), "\\par}\n");
}

}  // namespace

std::string to_latex(const Derivation& derivation) {
  std::string text(kPreamble);
  if (derivation.brief) text += kBrief;
  text += str("\\begin{document}\n{\\Large\\bfseries\\raggedright ", words(derivation.title), "\\par}\\medskip\n",
              derivation.equations, " equations, each verified on the network's values.\n");
  for (const auto& convention : derivation.conventions) text += str("By convention: ", words(convention), ".\n");
  if (derivation.sample) text += str("Numbers are those of ", words(derivation.sample->about), ".\n");
  text += "\\subsection*{Symbols}\n";
  for (const auto& row : calculus::symbol_rows(derivation)) {
    std::string names;
    for (const auto* symbol : row.symbols) {
      const bool gap = row.more && symbol == row.symbols.back();
      names += str(names.empty() ? "" : gap ? ", \\ldots, " : ", ", name_of(symbol->name));
    }
    const auto& first = *row.symbols[0];
    text += str("\\makebox[", row.symbols.size() > 1 ? "9" : "5", "em][l]{$", names, "$}", words(first.meaning), ", ",
                shape_in_latex(first.shape), "\\\\\n");
    if (first.numbers) text += numbers_in_latex(*first.numbers);
  }
  for (const auto& section : derivation.sections) {
    text += str("\\subsection*{", words(section.title), "}\n");
    for (const auto& note : section.notes) text += words(note) + "\n";
    for (const auto& chain : section.chains) {
      const bool one = chain.steps.size() == 1;
      text += str("\\equationof{", chain.left.latex(), one ? " = " + chain.steps[0].formula.latex() : "",
                  chain.ranges.empty() ? "" : "\\qquad " + math::latex_words(chain.ranges), "}\n");
      if (one) text += str("\\hspace*{2em}{\\footnotesize ", words(chain.steps[0].rule), "}\\par\n");
      for (const auto& step : chain.steps) {
        if (!one) text += str("\\rewritten{", words(step.rule), "}{= ", step.formula.latex(), "}\n");
      }
      if (!chain.note.empty()) text += str("{\\footnotesize ", words(chain.note), "}\\par\n");
      if (chain.numbers) text += numbers_in_latex(*chain.numbers);
      if (const auto& entry = chain.entry) {
        const auto out = calculus::left_out_of(*entry);
        text += str("\\rewritten{one of them}{", entry->left.latex(), " = ", entry->named.latex(), "}\n\\rewritten{",
                    words(out), "}{\\approx ", entry->numbers.latex(), "}\n\\rewritten{}{\\approx ",
                    calculus::text_of(entry->value), "}\n");
      }
    }
  }
  return text + "\\end{document}\n";
}

}  // namespace chalk
