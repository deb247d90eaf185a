// An exercise sheet and an answer to it: what check_derivation() says of each step.
#include <algorithm>
#include <utility>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/statements.h"

namespace chalk {
namespace {

using math::Statement;

constexpr std::size_t kMostSteps = 100;

std::vector<Statement> statements_of(std::string_view text, std::string_view origin) {
  try {
    return math::split_statements(text);
  } catch (const math::FormulaError& e) {
    throw InputError(str(origin, ": line ", e.place().line, ", character ", e.place().column, ": ", e.what()));
  }
}

/// What an answer says for one step.
struct Block {
  std::string label;
  std::vector<Statement> statements;
};

bool begins_with_equal(const std::string& text) {
  return text.starts_with('=') || text.starts_with("~=") || text.starts_with("≈");
}

std::string squeezed(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != ' ' && c != '\n' && c != '\t'; });
  return out;
}

/// Statements of sheet and answer put together, and where in the answer its lines come from.
class Combined {
 public:
  void add(const Statement& statement, std::string text, bool of_answer) {
    text += "\n\n";
    const auto count = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    if (of_answer) lines_.push_back({line_, statement.place.line, count});
    line_ += count;
    text_ += text;
  }
  const std::string& text() const { return text_; }
  /// The answer's line for one of the whole, or 0.
  int answer_line(int line) const {
    const auto found = std::ranges::find_if(
        lines_, [line](const auto& each) { return line >= each.first && line < each.first + each.count; });
    return found == lines_.end() ? 0 : found->of_answer + line - found->first;
  }

 private:
  std::string text_;
  int line_ = 1;
  struct Lines {
    int first, of_answer, count;
  };
  std::vector<Lines> lines_;
};

}  // namespace

std::vector<GradedStep> grade_answer(std::string_view sheet, std::string_view answer, std::string_view sheet_name,
                                     std::string_view answer_name, const CheckOptions& options) {
  const auto questions = statements_of(sheet, sheet_name);
  const auto has = [&](const std::string& label) {
    return std::ranges::any_of(questions, [&](const auto& each) { return each.label == label; });
  };
  if (static_cast<std::size_t>(std::ranges::count_if(questions, [](const auto& each) { return !each.label.empty(); })) >
      kMostSteps)
    throw InputError(str(sheet_name, ": more than ", kMostSteps, " steps"));
  std::vector<Block> blocks;
  for (auto& statement : statements_of(answer, answer_name)) {
    if (!statement.label.empty()) blocks.push_back({statement.label, {}});
    if (blocks.empty() || !has(blocks.back().label)) {
      throw InputError(str(answer_name, ": line ", statement.place.line, ", character 1: ",
                           blocks.empty() ? std::string("begin each step with its number, as in (1) = 2*x")
                                          : str("the sheet has no step (", blocks.back().label, ")")));
    }
    blocks.back().statements.push_back(std::move(statement));
  }
  std::vector<GradedStep> steps;
  std::vector<std::string> dropped;  // steps that cannot be read at all
  for (const auto& question : questions) {
    if (question.label.empty()) continue;
    GradedStep step{.label = question.label};
    const auto mine = std::ranges::find_if(blocks, [&](const auto& each) { return each.label == question.label; });
    if (mine == blocks.end()) {
      steps.push_back(step);
      continue;
    }
    step.line = mine->statements[0].place.line;
    Combined whole;
    std::pair<int, int> range{0, 0};  // of this step, in the answer
    for (const auto& each : questions) {
      whole.add(each, (each.label.empty() ? "" : "(" + each.label + ") ") + each.text, false);
      const bool later = &each > &question;
      const auto block =
          std::ranges::find_if(blocks, [&](const auto& b) { return !each.label.empty() && b.label == each.label; });
      if (block == blocks.end() || later || std::ranges::find(dropped, each.label) != dropped.end()) continue;
      for (std::size_t k = 0; k < block->statements.size(); ++k) {
        const auto& statement = block->statements[k];
        const bool equal = begins_with_equal(statement.text);
        const bool after_name = k > 0 && block->statements[k - 1].text.find(":=") != std::string::npos;
        if (equal && after_name) whole.add(each, each.text, false);  // and not on from what was named
        const bool goes_on = equal || statement.text.find(":=") != std::string::npos || k > 0;
        whole.add(statement, (goes_on ? "" : "= ") + statement.text, true);  // it has to be what the sheet asks for
      }
      if (&each == &question) range = {step.line, block->statements.back().place.line};
      if (&each == &question) break;
    }
    try {
      step.mark = Mark::right;
      const auto report = check_derivation(whole.text(), answer_name, options);
      std::string last;
      for (const auto& line : report.lines) {
        const int at = whole.answer_line(line.line);
        if (at < range.first || at > range.second) continue;
        last = line.text;
        if (line.verdict != Verdict::failed || step.mark == Mark::wrong) continue;
        step.mark = Mark::wrong;
        step.line = at;
        step.formula = line.text;
        step.message = line.message;
      }
      if (step.mark == Mark::right && squeezed(last) == "=" + squeezed(question.text)) {
        step.mark = Mark::wrong;
        step.formula = last;
        step.message = "this is what the sheet asks for, and no answer to it";
      }
    } catch (const InputError& e) {
      step.mark = Mark::wrong;
      const std::string_view what = e.what();
      const auto begin = what.find("character ");
      const auto colon = what.find(": ", begin == std::string_view::npos ? 0 : begin);
      step.message = colon == std::string_view::npos ? what : what.substr(colon + 2);
      dropped.push_back(question.label);
    }
    steps.push_back(std::move(step));
  }
  if (steps.empty()) throw InputError(str(sheet_name, ": has no step; number what is asked for, as in (1) dS/dw[i]"));
  return steps;
}

}  // namespace chalk
