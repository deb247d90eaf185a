// Exercise sheets: marks, what they say, and what an answer cannot get away with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using testing::HasSubstr;

const std::string kSheet =
    "network x: 3 > s = dense(w: 2 outputs) > o = tanh\ngiven t: 2\nE := 1/2*sum(i, (o[i] - t[i])^2)\n"
    "(1) dE/do[i]\n(2) do[i]/ds[i]\n(3) dE/dw[i,j]\n";
const std::string kLatexSheet =
    "% chalk: network x: 3 > s = dense(w: 2 outputs) > o = tanh\n% chalk: given t: 2\n"
    "\\[ E = \\frac{1}{2} \\sum_i (o_i - t_i)^2 \\]\n"
    "\\begin{align} & \\frac{\\partial E}{\\partial o_i} = {} ? \\tag{1} \\\\ & \\frac{\\partial o_i}{\\partial s_i} = "
    "\\ldots "
    "\\tag{2} \\\\ & \\frac{\\partial E}{\\partial w_{ij}} \\tag{3} \\end{align}\n";

std::vector<GradedStep> graded(const std::string& answer, std::string_view answer_name = "answer.chalk",
                               const std::string& sheet = kSheet, std::string_view sheet_name = "sheet.chalk") {
  return grade_answer(sheet, answer, sheet_name, answer_name);
}

/// One letter a step: r(ight), w(rong), "-" for a missing one.
std::string marks(const std::vector<GradedStep>& steps) {
  std::string letters;
  for (const auto& step : steps) letters += "-wr"[static_cast<std::size_t>(step.mark)];
  return letters;
}

std::string grade_refusal(const std::string& sheet, const std::string& answer,
                          std::string_view sheet_name = "sheet.chalk", std::string_view answer_name = "answer.chalk") {
  try {
    grade_answer(sheet, answer, sheet_name, answer_name);
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Grade, StepsGoOnFromWhatIsAskedFor) {
  EXPECT_EQ(marks(graded("(1) = o[i] - t[i]\n(2) do[i]/ds[i] = 1 - o[i]^2\n"
                         "(3) e[i] := (o[i] - t[i])*(1 - o[i]^2)\n= e[i]*x[j]\n")),
            "rrr");
  EXPECT_EQ(marks(graded("(3) e[i] := (o[i] - t[i])*(1 - o[i]^2)\ndE/dw[i,j] = e[i]*x[j]\n")), "--r");
  EXPECT_EQ(marks(graded("(3) dE/dw[i,j] = dE/do[i]*do[i]/ds[i]*ds[i]/dw[i,j]\n")), "--r");
  EXPECT_EQ(marks(graded("(2) o[i] = tanh(s[i])\n(1) o[i] - t[i]\n")), "rw-") << "any order; (2) is not o";
}

TEST(Grade, AnswersMayBeInLatexAndMarkdown) {
  const std::string latex =
      "\\documentclass{article}\n\\newcommand{\\D}[2]{\\frac{\\partial #1}{\\partial #2}}\n\\begin{document}\n"
      "\\begin{equation} \\D{E}{o_i} = o_i - t_i \\tag{1} \\end{equation}\n"
      "Then\n\\begin{align}\n \\D{o_i}{s_i} &= 1 - \\tanh^2(s_i) \\\\\n &= 1 - o_i \\tag{2}\n\\end{align}\n"
      "\\begin{align}\n e_i &= (o_i - t_i) (1 - o_i^2) \\tag{3} \\\\\n \\D{E}{w_{ij}} &= e_i x_j\n\\end{align}\n";
  const auto steps = graded(latex, "anna.tex");
  EXPECT_EQ(marks(steps), "rwr");
  EXPECT_EQ(steps[0].line, 4);
  EXPECT_EQ(steps[1].line, 8);
  EXPECT_EQ(steps[1].formula, "= 1 - o[i]");
  EXPECT_EQ(marks(graded("1. The error:\n\n(1) $= o_i - t_i$\n\n(2) $$= 1 - o_i^2$$\n\n"
                         "```math\n= (o_i - t_i) (1 - o_i^2) x_j\n```\n(3)\n",
                         "ben.md")),
            "rrr");
  EXPECT_EQ(marks(graded(latex, "anna.tex", kLatexSheet, "sheet.tex")), "rwr");
  EXPECT_EQ(marks(graded("(1) = o[i] - t[i]\n(3) = (o[i] - t[i])*(1 - o[i]^2)*x[j]\n", "carla.chalk", kLatexSheet,
                         "sheet.tex")),
            "r-r");
}

TEST(Grade, AnAnswerThatSaysNothingIsWrong) {
  for (const auto& [answer, why] : std::initializer_list<std::pair<std::string, std::string>>{
           {"= dE/do[i]", "this is what the sheet asks for, and no answer to it"},
           {"= dE/do[i] + 0", "what the sheet asks for still stands in it"},
           {"= o[i] - t[i]\n= 1*dE/do[i]", "what the sheet asks for still stands in it"},
           {"c := 1", "no line goes on from what the sheet asks for"},
           {"c := 1\nc = 1", "no line goes on from what the sheet asks for"},
           {"c := 1\no[i] = tanh(s[i])\n= o[i]", "no line goes on from what the sheet asks for"},
           {"= o[i] - t[i] for i=0..0", "the sheet says for which indices a step is to hold; leave this out"},
           {"= t[i]\nerratum a slip\ncorrected = o[i] - t[i]",
            "this belongs on the sheet; an answer gives equations, and names by :="},
           {"= o[i] - t[i]\ngiven q", "this belongs on the sheet; an answer gives equations, and names by :="},
           {"c := 1\nx, w in 0.1..0.2", "this belongs on the sheet; an answer gives equations, and names by :="},
           {"c := 1\npart mine", "this belongs on the sheet; an answer gives equations, and names by :="},
           {"c := 1\noptimizer sgd(rate a) of w",
            "the network has no loss; end it with one: > L = loss(t: squared-error)"}}) {
    const auto step = graded("(1) " + answer + "\n")[0];
    EXPECT_EQ(step.mark, Mark::wrong) << answer;
    EXPECT_THAT(step.message, HasSubstr(why)) << answer;
  }
  const auto rule = graded("\\[ = o_i - t_i \\tag{1} \\]\n% chalk: read t_i as o[i]\n", "a.tex");
  EXPECT_EQ(grade_refusal(kSheet, "% chalk: read 2 as 3\n\\[ = o_i - t_i \\tag{1} \\]\n", "sheet.chalk", "a.tex"),
            "a.tex: line 1, character 10: begin each step with its number, as in \\tag{1}");
  EXPECT_EQ(rule[0].message, "this belongs on the sheet; an answer gives equations, and names by :=");
}

TEST(Grade, AStepThatCannotBeReadSpoilsNoOther) {
  const auto steps = graded("(1) E := 3\n(2) = 1 - o[i]^2\n(3) = (o[i] - t[i]*(1 - o[i]^2)*x[j]\n");
  EXPECT_EQ(marks(steps), "wrw");
  EXPECT_EQ(steps[0].message, "\"E\" has a meaning already; use another name");
  EXPECT_EQ(steps[2].line, 3);
  // A name that the sheet gives later
  const auto sheet = "given a in 1..2\n(1) 2*a\nb := 3*a\n(2) 2*b\n";
  EXPECT_EQ(marks(graded("(1) b := a\n= a + b\n(2) = 6*a\n", "answer.chalk", sheet)), "rr");
}

TEST(Grade, BadSheetsAndAnswersHaveALineAndAColumn) {
  const std::filesystem::path folder = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "tests" / "bad";
  std::ifstream expected(folder / "expected.txt");
  int count = 0;
  for (std::string name, message; std::getline(expected, name, '\t') && std::getline(expected, message);) {
    if (!name.starts_with("sheet/")) continue;
    std::ifstream in(folder / name, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    const auto cut = all.find("\n----\n");
    const auto sheet = all.substr(0, cut), answer = cut == std::string::npos ? "" : all.substr(cut + 6);
    const auto name_of = [](const std::string& text) {
      return text.find('\\') == std::string::npos ? "it.chalk" : "it.tex";
    };
    EXPECT_THAT(grade_refusal(sheet, answer, name_of(sheet), name_of(answer)), HasSubstr(message)) << name;
    ++count;
  }
  EXPECT_GT(count, 15);
}

}  // namespace
}  // namespace chalk::math
