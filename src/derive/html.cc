// A derivation as a page that stands by itself: MathML, no script.
#include <algorithm>
#include <set>
#include <string>

#include "chalkgrad/derive.h"
#include "src/base/markup.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/derive/document.h"
#include "src/derive/terms.h"
#include "src/math/expr.h"
#include "src/math/print.h"

namespace chalk {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1d2125; --paper: #fffdf8; --soft: #5b636b; --line: #dcd8cc; --board: #f4f1e7;
  --good: #1f6b3a; --link: #1b4f9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6df; --paper: #16201c; --soft: #a9b3ad; --line: #33423b;
  --board: #1d2a25; --good: #8fd6a5; --link: #9cc4ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 5rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 1.05rem/1.55 Georgia, "Iowan Old Style", "DejaVu Serif", serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .8rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; } a { color: var(--link); } .soft { color: var(--soft); }
nav { margin: 1.2rem 0; } nav ol { margin: .3rem 0; padding-left: 1.9rem; columns: 16rem; } nav li { margin: .15rem 0; }
.scroll { overflow-x: auto; padding: .15rem .1rem; } .scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1.2rem .2rem 0; vertical-align: baseline; }
th { font-weight: normal; color: var(--soft); border-bottom: 1px solid var(--line); }
math { font-size: 1.12em; } .scroll math { margin: .2em 0; }
.one, details { margin: 1.1rem 0; padding: .6rem .9rem; background: var(--board); border-radius: .4rem; }
summary { cursor: pointer; } summary .scroll { display: inline-block; vertical-align: middle; max-width: calc(100% - 1.5rem); }
.step { display: grid; grid-template-columns: 14rem minmax(0, 1fr) 1.4rem; gap: 0 .9rem; align-items: center; padding: .3rem 0; }
.step + .step { border-top: 1px dotted var(--line); }
.rule { color: var(--soft); font-size: .88rem; line-height: 1.3; } .mark { color: var(--good); font-family: sans-serif; }
.numbers { color: var(--soft); font: .82rem/1.4 "DejaVu Sans Mono", Menlo, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: .3rem 0 0; } td .numbers { white-space: pre; } td:nth-child(3) { white-space: nowrap; } .entry { margin-top: .4rem; padding-top: .4rem; border-top: 1px dotted var(--line); }
.sample { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: 1rem 0; }
.sample img { width: 9rem; height: auto; image-rendering: pixelated; border: 1px solid var(--line); }
@media (max-width: 46rem) { body { padding: 1.2rem .9rem 3rem; } .one, details { padding: .5rem .6rem; }
  .step { grid-template-columns: minmax(0, 1fr) 1.4rem; } .rule { grid-column: 1 / -1; } nav ol { columns: 1; }
  table, thead, tbody { display: block; } tr { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) max-content; }
  td:nth-child(3) { padding-right: 0; } td:nth-child(4) { grid-column: 1 / -1; } td:empty, th:nth-child(4) { display: none; } }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --board: #fff; --good: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; } .one, details, .step { break-inside: avoid; }
  .one, details { padding: 0; } h2 { break-after: avoid; } .scroll { overflow: visible; } }
)";

std::string escaped(std::string_view text) { return markup_text(text, "<\""); }  // attributes stand in quotes

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8U | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kLetters[three >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string shape_of(const Shape& shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return shape.empty() ? "a number" : text;
}

class Page {
 public:
  explicit Page(const Derivation& derivation) : d_(derivation) {}

  std::string run() const {
    double worst = 0;
    for (const auto& section : d_.sections) {
      for (const auto& chain : section.chains) {
        for (const auto& step : chain.steps) worst = std::max(worst, step.residual);
      }
    }
    std::string text = str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
                           escaped(d_.title), "</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n<main>\n<h1>",
                           escaped(d_.title), "</h1>\n<p>", d_.equations,
                           " equations, each verified on the network’s values.</p>\n<p class=\"soft "
                           "how-closely\">Their sides differ by at most ",
                           rounded(worst), " of the largest number in them.</p>\n");
    if (d_.samples > 1)
      text += str("<p>Samples depend on each other: a batch of ", d_.samples, ", whose index is n.</p>\n");
    for (const auto& convention : d_.conventions)
      text += str("<p class=\"soft\">By convention: ", escaped(convention), ".</p>\n");
    text += sample();
    text += contents();
    text += symbols();
    int number = 0;
    for (const auto& section : d_.sections) {
      text += str("<h2 id=\"s", ++number, "\">", escaped(section.title), "</h2>\n");
      for (const auto& note : section.notes) text += str("<p>", escaped(note), "</p>\n");
      for (const auto& chain : section.chains) text += chain_of(chain);
    }
    return text + "</main>\n</body>\n</html>\n";
  }

 private:
  static std::string rounded(double x) {
    if (x == 0) return "0";
    int exponent = 0;
    while (x < 1) x *= 10, --exponent;
    return str(static_cast<int>(x + 0.999), "·10<sup>−", -exponent, "</sup>");
  }
  static std::string math(const std::string& markup, bool display = true) {
    return str("<math", display ? " displaystyle=\"true\"" : "", "><mrow>", markup, "</mrow></math>");
  }
  static std::string name_of(std::string_view name) {
    const auto [letters, primes] = calculus::without_primes(name);
    return math::mathml_name(letters, primes);
  }
  /// left = formula, behind it a remark, and what its letters mean. The left side and each term of a sum are formulas
  /// by themselves, so that a line may end between them; what is wider than the screen nevertheless is scrolled.
  std::string scrolled(const std::string& left, std::string_view sign, const DerivedFormula& formula,
                       const std::string& behind, const std::string& meaning, const char* element = "div") const {
    auto terms = math::mathml_terms(*formula.tree());
    terms.front().insert(0, str("<mo form=\"infix\">", sign, "</mo>"));
    terms.back() += behind;
    std::string text = left.empty() ? "" : math(left, element[0] == 'd');
    for (const auto& term : terms) text += str(text.empty() ? "" : "<wbr>", math(term, element[0] == 'd'));
    return str("<", element, " class=\"scroll\" tabindex=\"0\" title=\"", escaped(meaning), "\">", text, "</", element,
               ">");
  }

  std::string contents() const {
    std::string text = "<nav aria-label=\"Contents\"><ol>\n<li><a href=\"#symbols\">Symbols</a></li>\n";
    int number = 0;
    for (const auto& section : d_.sections)
      text += str("<li><a href=\"#s", ++number, "\">", escaped(section.title), "</a></li>\n");
    return text + "</ol></nav>\n";
  }

  std::string sample() const {
    if (!d_.sample) return {};
    std::string text = "<div class=\"sample\">";
    if (!d_.sample->picture.empty())
      text += str("<img alt=\"The input\" src=\"data:image/png;base64,", base64(d_.sample->picture), "\">");
    return str(text, "<p>Numbers beside the equations are those of ", escaped(d_.sample->about),
               ", with the network’s own weights.</p></div>\n");
  }

  std::string symbols() const {
    std::string text =
        str("<h2 id=\"symbols\">Symbols</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th "
            "scope=\"col\">symbol</th>"
            "<th scope=\"col\">what it is</th><th scope=\"col\">shape</th>",
            d_.sample ? "<th scope=\"col\">numbers</th>" : "", "</tr></thead><tbody>\n");
    for (const auto& row : calculus::symbol_rows(d_)) {
      std::string names;
      for (const auto* symbol : row.symbols) {
        const bool gap = row.more && symbol == row.symbols.back();
        names += str(names.empty() ? "" : gap ? ", …, " : ", ", math(name_of(symbol->name), false));
      }
      const auto& first = *row.symbols[0];
      const bool several = row.symbols.size() > 1;
      text += str("<tr><td>", names, "</td><td>", escaped(first.meaning), several ? ", …" : "", "</td><td>",
                  shape_of(first.shape), "</td>");
      if (d_.sample)
        text += str("<td>",
                    first.numbers && !several && !calculus::has_chain(d_, first.name) ? numbers(*first.numbers) : "",
                    "</td>");
      text += "</tr>\n";
    }
    return text + "</tbody></table></div>\n";
  }

  static std::string numbers(const DerivedNumbers& n) {
    return str("<div class=\"numbers\">", calculus::text_of(n, n.shape.size() < 2 ? ", " : ",\n "), "</div>");
  }
  /// What stands below a chain: numbers, one of them term by term, and which others are like it.
  std::string below(const DerivedChain& chain) const {
    std::string text;
    if (!chain.note.empty()) text += str("<p class=\"soft\">", escaped(chain.note), "</p>\n");
    if (chain.numbers) text += str("<div class=\"scroll\" tabindex=\"0\">", numbers(*chain.numbers), "</div>\n");
    if (const auto& entry = chain.entry) {
      const auto line = [&](std::string_view word, const std::string& left, std::string_view sign,
                            const DerivedFormula& formula) {
        return str("<div class=\"step\"><span class=\"rule\">", word, "</span>",
                   scrolled(left, sign, formula, "", meanings({&entry->named})), "</div>\n");
      };
      text += str("<div class=\"entry\">\n", line("one of them, term by term", entry->left.mathml(), "=", entry->named),
                  line(calculus::left_out_of(*entry), "", "≈", entry->numbers),
                  line("", "", "≈", DerivedFormula(math::number(calculus::rounded(entry->value)))), "</div>\n");
    }
    return text;
  }

  std::string chain_of(const DerivedChain& chain) const {
    const auto left = chain.left.mathml();
    const auto ranges =
        chain.ranges.empty() ? "" : "<mspace width=\"1em\"></mspace>" + math::mathml_words(chain.ranges);
    const auto& last = chain.steps.back();
    const auto meaning = meanings({&chain.left, &last.formula});
    if (chain.steps.size() == 1) {
      return str("<div class=\"one\"><div class=\"step\"><span class=\"rule\">", escaped(last.rule), "</span>",
                 scrolled(left, "=", last.formula, ranges, meaning), mark(last), "</div>\n", below(chain), "</div>\n");
    }
    std::string text =
        str("<details open><summary>", scrolled(left, "=", last.formula, ranges, meaning, "span"), "</summary>\n");
    bool first = true;
    for (const auto& step : chain.steps) {
      text +=
          str("<div class=\"step\"><span class=\"rule\">", escaped(step.rule), "</span>",
              scrolled(first ? left : "", "=", step.formula, "", meanings({&step.formula})), mark(step), "</div>\n");
      first = false;
    }
    return str(text, below(chain), "</details>\n");
  }
  static std::string mark(const DerivedStep& step) {
    const auto how = step.residual == 0 ? "verified: both sides are the same numbers"
                                        : str("verified: the sides differ by ", shortest(step.residual),
                                              " of the largest number in them");
    return str("<span class=\"mark\" role=\"img\" aria-label=\"verified\" title=\"", how,
               step.remark.empty() ? "" : "; " + escaped(step.remark), "\">✓</span>");
  }

  static void names_in(const math::Expr& e, std::set<std::string>& names) {
    if (e.kind == math::Kind::name) names.insert(e.name);
    for (const auto& arg : e.args) names_in(*arg, names);
  }
  std::string meanings(const std::vector<const DerivedFormula*>& formulas) const {
    std::set<std::string> names;
    for (const auto* formula : formulas) names_in(*formula->tree(), names);
    std::string text;
    for (const auto& symbol : d_.symbols) {
      if (!names.contains(symbol.name)) continue;
      text += str(text.empty() ? "" : "\n", symbol.name, ": ", symbol.meaning, ", ", shape_of(symbol.shape));
      if (symbol.numbers) text += ": " + calculus::text_of(*symbol.numbers);
    }
    return text;
  }

  const Derivation& d_;
};

}  // namespace

std::string to_html(const Derivation& derivation) { return Page(derivation).run(); }

}  // namespace chalk
