// Checks derivations line by line: a network and equations about it, in index notation, as people write them. The
// language is described in docs/check.md.
//
//   auto report = chalk::check_derivation(
//       "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"
//       "z[i] = sum(j, W[i,j]*x[j]) + b[i]\n"
//       "dy[i]/dW[k,j] = delta(i,k)*y[i]*(1 - y[i])*x[j]\n");
//   report.failed == 0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

enum class Verdict : std::uint8_t {
  verified,    ///< true on random numbers, in double precision
  erratum,     ///< declared to be false as printed, and it is; its correction is true
  definition,  ///< names something
  failed,      ///< false, or cannot be read
  except,      ///< true wherever the derivatives in it exist; at a kink, by convention only between the slopes
};

/// "verified", "erratum", …
std::string_view name_of(Verdict verdict);

/// One line of a derivation, judged.
struct CheckedLine {
  std::string part{};   ///< the heading it is under ("part …"); may be empty
  std::string label{};  ///< its number, e.g. "10"; may be empty
  int line = 0;         ///< in the text, from 1
  int column = 0;       ///< where an error points to, in characters from 1; 0: nowhere
  Verdict verdict = Verdict::failed;
  std::string text{};    ///< the formula in plain text
  std::string latex{};   ///< and in LaTeX
  std::string mathml{};  ///< and in MathML, for a <math> element
  std::string source{};  ///< what the document prints (lines that begin with %); may be empty
  /// Failed: why, and what to do. Except: where. Erratum: what is wrong with the printed formula. Otherwise empty, or a
  /// remark.
  std::string message{};
  /// Failed: the single edit that makes it true, if one is found: "true with W[i,j] in place of W[j,i]". It is in the
  /// message, too.
  std::string offer{};
  /// Verified: the largest difference of its two sides, by the largest number that came up in computing them.
  double residual = 0;
  std::string difference{};       ///< erratum: how the printed formula fails
  std::string corrected{};        ///< erratum: the corrected formula in plain text
  std::string corrected_latex{};  ///< and in LaTeX
};

struct CheckReport {
  std::vector<CheckedLine> lines;
  std::size_t verified = 0, errata = 0, definitions = 0, failed = 0, excepted = 0;
  std::vector<std::string> conventions;  ///< what its derivatives go by where there is none: "relu'(0) = 0"
};

struct CheckOptions {
  std::uint64_t seed = 1;  ///< decides the random numbers
  int trials = 3;          ///< how many times new ones are drawn, >= 1
  std::string notes{};     ///< check_latex(): what is said about the document beside it
  bool offer = false;      ///< looks for a single edit that makes a false line true: up to about a second for each
  int only_line = 0;       ///< > 0: judge the statement that begins on this line only; the others are just read
};

/// Judges each line of the text. An equation holds if both sides differ by at most 1e-10 of the largest number that
/// came up in computing them, for every value of its indices in each trial, and at corners of its functions. Throws
/// InputError, with line and column, if a network, a declaration or a definition cannot be read. `origin` (a file's
/// name) begins that message. Whatever is wrong with a single equation is in its line of the report.
CheckReport check_derivation(std::string_view text, std::string_view origin = "derivation",
                             const CheckOptions& options = {});

/// Whether a file of this name is one for check_latex(): .tex, .latex, .md, .markdown or .txt.
bool is_document(std::string_view name);

/// Judges the displayed equations of a document in LaTeX or, if its name ends in .md, .markdown or .txt, in Markdown,
/// as its author wrote them. What they are about, the network, values and the meaning of symbols, is said in lines that
/// begin with "% chalk:" (in Markdown also "<!-- chalk: … -->"), or in options.notes; docs/check.md describes it. A
/// line of the report has in `source` the equation as it is printed, and in `text` how it was read; of several
/// statements that one equation makes, the first only has `source`. Throws InputError as check_derivation() does.
CheckReport check_latex(std::string_view document, std::string_view origin, const CheckOptions& options = {});

/// How a step of an exercise was answered.
enum class Mark : std::uint8_t { missing, wrong, right };

struct GradedStep {
  std::string label{};  ///< "2" of the sheet's "(2) dS/dw[i]"
  Mark mark = Mark::missing;
  int line = 0;           ///< in the answer: where the step begins or, if it is wrong, of the first wrong line
  std::string formula{};  ///< wrong: that line in plain text; empty if it cannot be read
  std::string message{};  ///< and why
};

/// Grades an answer to an exercise sheet, step by step. The sheet is a derivation whose numbered lines ask for
/// something: "(2) dS/dw[i]"; the answer has, for each number, equations that go on from there: "(2) = …", or
/// "(2) dS/dw[i] = …", and names of its own; all else belongs on the sheet. Either may be a document in LaTeX or
/// Markdown, as its name says (is_document()), where numbers are \tag{2} or stand beside a display, all of whose lines
/// they are about. A step is right if each of its lines is true and one of them goes on from what is asked for. The
/// names begin error messages. Throws InputError, with line and column, if the sheet cannot be read or is false, or the
/// answer has a step that the sheet has not.
std::vector<GradedStep> grade_answer(std::string_view sheet, std::string_view answer,
                                     std::string_view sheet_name = "sheet", std::string_view answer_name = "answer",
                                     const CheckOptions& options = {});

}  // namespace chalk
