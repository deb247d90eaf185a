// An exercise sheet and an answer to it: what is true of each step.
#include <algorithm>
#include <cctype>
#include <utility>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/check_items.h"
#include "src/math/error.h"
#include "src/math/statements.h"

namespace chalk {
namespace {

using math::CheckedItems;
using math::FormulaError;
using math::ItemToCheck;
using math::TexItem;

constexpr std::size_t kMostSteps = 100;

[[noreturn]] void refuse(std::string_view origin, int line, int column, std::string_view message) {
  throw InputError(str(origin, ": line ", line, ", character ", std::max(1, column), ": ", message));
}

/// The number of a display is about all of its lines.
void number_displays(std::vector<TexItem>& items) {
  for (auto first = items.begin(); first != items.end();) {
    const auto last = std::find_if(first, items.end(), [&](const TexItem& each) {
      return each.display != first->display || each.kind != TexItem::Kind::equation;
    });
    const auto has_label = [](const TexItem& each) { return !each.statement.label.empty(); };
    if (last != first && std::count_if(first, last, has_label) == 1)
      std::swap(first->statement.label, std::find_if(first, last, has_label)->statement.label);
    first = last == first ? first + 1 : last;
  }
}

/// A sheet or an answer, cut apart.
struct Text {
  std::vector<TexItem> items;
  math::TexMacros macros;

  Text(std::string_view text, std::string_view name) {
    try {
      if (is_document(name)) {
        auto document = math::read_document(text, math::is_markdown(name), {});
        items = std::move(document.items);
        macros = std::move(document.macros);
        number_displays(items);
        return;
      }
      for (auto& statement : math::split_statements(text)) {
        items.emplace_back();
        items.back().statement = std::move(statement);
      }
    } catch (const FormulaError& e) {
      refuse(name, e.place().line, e.place().column, e.what());
    }
  }
};

/// Without "= ?" at its end.
void ask(TexItem& item) {
  auto& text = item.statement.text;
  const auto drop = [&](std::string_view end) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.pop_back();
    const bool ends = text.ends_with(end);
    if (ends) text.erase(text.size() - end.size());
    return ends;
  };
  for (const std::string_view end : {".", "?", "{}", "\\ldots", "\\dots", "\\cdots", "="}) drop(end);
  drop(" ");
}

std::string squeezed(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != ' ' && c != '\n' && c != '\t'; });
  return out;
}

/// Whether a derivative stands in the formula: dE/dw in 2*dE/dw, not in dE/dw2 or dE/dw[i].
bool has_derivative(std::string_view formula, std::string_view derivative) {
  if (derivative.find("/d") == std::string_view::npos) return false;
  const auto goes_on = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '[' || c == '\'';
  };
  for (auto at = formula.find(derivative); at != std::string_view::npos; at = formula.find(derivative, at + 1)) {
    const auto end = at + derivative.size();
    if ((at == 0 || !goes_on(formula[at - 1])) && (end == formula.size() || !goes_on(formula[end]))) return true;
  }
  return false;
}

/// What an answer says for one step.
struct Block {
  std::string label;
  std::vector<const TexItem*> items;
};

class Grading {
 public:
  Grading(std::string_view sheet, std::string_view answer, std::string_view sheet_name, std::string_view answer_name,
          const CheckOptions& options)
      : sheet_name_(sheet_name),
        answer_name_(answer_name),
        options_(options),
        sheet_(sheet, sheet_name),
        answer_(answer, answer_name) {
    read_sheet();
    read_answer();
  }

  std::vector<GradedStep> run() {
    std::vector<GradedStep> steps;
    for (std::size_t k = 0; k < sheet_.items.size(); ++k) {
      const auto& label = sheet_.items[k].statement.label;
      if (!label.empty()) steps.push_back(step(k, label));
    }
    return steps;
  }

 private:
  void read_sheet() {
    std::vector<std::string> labels;
    for (auto& item : sheet_.items) {
      const auto& [text, place, label, source] = item.statement;
      if (item.kind == TexItem::Kind::rule || label.empty()) continue;
      if (std::ranges::find(labels, label) != labels.end())
        refuse(sheet_name_, place.line, place.column, str("step (", label, ") stands here twice"));
      labels.push_back(label);
      if (item.kind == TexItem::Kind::equation) ask(item);
    }
    if (labels.empty())
      throw InputError(str(sheet_name_, ": has no step; number what is asked for, as in (1) dS/dw[i]"));
    if (labels.size() > kMostSteps) throw InputError(str(sheet_name_, ": more than ", kMostSteps, " steps"));
    std::vector<ItemToCheck> items;
    for (const auto& item : sheet_.items) items.push_back({.item = item, .macros = &sheet_.macros});
    CheckedItems found;
    try {
      check_items(items, {.seed = options_.seed, .trials = options_.trials}, found);
    } catch (const FormulaError& e) {
      refuse(sheet_name_, e.place().line, e.place().column, e.what());
    }
    for (std::size_t k = 0; k < found.item_of.size(); ++k) {
      const auto& line = found.report.lines[k];
      if (line.verdict == Verdict::failed) refuse(sheet_name_, line.line, line.column, line.message);
      questions_.resize(found.item_of[k] + 1);
      if (questions_.back().empty()) questions_.back() = squeezed(line.text);
    }
    questions_.resize(items.size());
  }

  void read_answer() {
    for (const auto& item : answer_.items) {
      const auto& place = item.statement.place;
      const auto& label = item.statement.label;
      if (!label.empty()) {
        const bool again = std::ranges::any_of(blocks_, [&](const auto& each) { return each.label == label; });
        if (again) refuse(answer_name_, place.line, place.column, str("a second answer to step (", label, ")"));
        blocks_.push_back({label, {}});
      }
      const auto asked = [&](const TexItem& each) { return each.statement.label == blocks_.back().label; };
      if (!blocks_.empty() && std::ranges::none_of(sheet_.items, asked))
        refuse(answer_name_, place.line, place.column, str("the sheet has no step (", blocks_.back().label, ")"));
      if (blocks_.empty()) {
        refuse(answer_name_, place.line, place.column,
               str("begin each step with its number, as in ", is_document(answer_name_) ? "\\tag{1}" : "(1) = 2*x"));
      }
      blocks_.back().items.push_back(&item);
    }
  }

  const Block* block(const std::string& label) const {
    const auto found = std::ranges::find(blocks_, label, &Block::label);
    return label.empty() || found == blocks_.end() ? nullptr : &*found;
  }

  /// The sheet up to the question, with what was answered before it if `earlier`, and the answer to it.
  std::vector<ItemToCheck> items_for(std::size_t question, bool earlier) const {
    std::vector<ItemToCheck> items;
    for (std::size_t k = 0; k <= question; ++k) {
      items.push_back({.item = sheet_.items[k], .macros = &sheet_.macros, .judged = false});
      const auto& label = sheet_.items[k].statement.label;
      const auto* answer = block(label);
      const bool unreadable = std::ranges::find(dropped_, label) != dropped_.end();
      if (!answer || unreadable || (k < question && !earlier)) continue;
      for (const auto* item : answer->items) {
        items.push_back({.item = *item,
                         .macros = &answer_.macros,
                         .of_answer = true,
                         .goes_on = item == answer->items.front(),
                         .judged = k == question});
        items.back().item.statement.label.clear();
      }
    }
    return items;
  }

  GradedStep step(std::size_t question, const std::string& label) {
    GradedStep step{.label = label};
    const auto* answer = block(label);
    if (!answer) return step;
    step.line = answer->items[0]->statement.place.line;
    for (const bool earlier : {true, false}) {  // an earlier step may have taken a name that the sheet needs
      const auto items = items_for(question, earlier);
      const auto first = items.size() - answer->items.size();
      CheckedItems found;
      try {
        check_items(items, options_, found);
        grade(step, found, first, questions_[question]);
        return step;
      } catch (const FormulaError& e) {
        if (found.reading < first && earlier) continue;
        step.mark = Mark::wrong;
        if (found.reading >= first) step.line = e.place().line;
        step.message = e.what();
        dropped_.push_back(label);
        return step;
      }
    }
    return step;
  }

  /// By the lines that the items from `first` on made.
  static void grade(GradedStep& step, const CheckedItems& found, std::size_t first, const std::string& asked) {
    step.mark = Mark::right;
    bool goes_on = true;  // from what is asked for
    std::string last;
    for (std::size_t k = 0; k < found.item_of.size(); ++k) {
      const auto& line = found.report.lines[k];
      if (found.item_of[k] < first) continue;
      if (line.verdict == Verdict::failed) {
        step.mark = Mark::wrong;
        step.line = line.line;
        step.formula = line.text;
        step.message = line.message;
        return;
      }
      if (line.verdict == Verdict::definition && !line.text.starts_with('=')) continue;
      const auto text = squeezed(line.text);
      const bool begins = !text.starts_with('=') && !text.starts_with("~=");
      if (begins) goes_on = text.starts_with(asked + "=");
      if (goes_on) last = text;
    }
    if (!last.empty() && last != "=" + asked && !has_derivative(last.substr(last.rfind('=') + 1), asked)) return;
    step.mark = Mark::wrong;
    step.formula = last;
    step.message = last.empty()          ? "no line goes on from what the sheet asks for"
                   : last == "=" + asked ? "this is what the sheet asks for, and no answer to it"
                                         : "what the sheet asks for still stands in it";
  }

  std::string_view sheet_name_, answer_name_;
  const CheckOptions& options_;
  Text sheet_, answer_;
  std::vector<std::string> questions_{};  // what each item of the sheet asks for
  std::vector<Block> blocks_{};
  std::vector<std::string> dropped_{};  // steps that cannot be read at all
};

}  // namespace

std::vector<GradedStep> grade_answer(std::string_view sheet, std::string_view answer, std::string_view sheet_name,
                                     std::string_view answer_name, const CheckOptions& options) {
  return Grading(sheet, answer, sheet_name, answer_name, options).run();
}

}  // namespace chalk
