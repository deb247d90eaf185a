// What the families' pages have in common.
#include <gtest/gtest.h>

#include <sstream>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/fields.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/math/check_about.h"
#include "src/math/typeset.h"
#include "tests/reference/families.h"

namespace chalk::reference {
namespace {

int lines_in(const std::string& text) { return static_cast<int>(std::ranges::count(text, '\n')); }

std::string with_break(const std::string& text) { return text.empty() || text.ends_with('\n') ? text : text + "\n"; }

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-e") == std::string::npos && text != "e" && text != "-";
}

/// The value of an option as a number of the language.
std::string value_of(const Attributes& options, const std::string& option) {
  for (const auto& [name, value] : texts_of([&](FieldVisitor& v) { options.show(v); })) {
    if (name == option) return value;
  }
  ADD_FAILURE() << option << " is no option";
  return "0";
}

/// "eta := 0.1", for each symbol that stands for an option.
std::string definitions(const Case& c, const Attributes& options) {
  std::string text;
  for (const auto& [symbol, what] : c.let) {
    if (const auto list = c.options.find(what); list != c.options.end() && list->second.size() > 1) {
      text += vector_definition(symbol, list->second);
      continue;
    }
    text += str(symbol, " := ", is_number(what) ? what : value_of(options, what), "\n");
  }
  return text;
}

/// "beta_1": β₁
std::string letters_of(const std::string& symbol) {
  const auto parts = math::parts_of(symbol);
  auto text = str(parts.letter, parts.word, parts.layer);
  for (const char c : parts.below)
    text += c >= '0' && c <= '9' ? str("\xE2\x82", static_cast<char>(0x80 + c - '0')) : str('_', c);  // ₀ … ₉
  return text;
}

/// "λ is `weight_decay`."
std::string where(const Case& c) {
  std::string text;
  for (const auto& [symbol, option] : c.let) {
    if (!is_number(option) && symbol != option)
      text += str(text.empty() ? "" : ", ", letters_of(symbol), " is `", option, "`");
  }
  if (!c.where.empty()) text += str(text.empty() ? "" : "; ", c.where);
  return text.empty() ? "" : str("Here ", text, ".");
}

/// The typeset lines first + 1 … last of a report; what does not hold goes to the page's faults.
std::vector<Typeset> lines_of(Page& page, const CheckReport& report, int first, int last) {
  std::vector<Typeset> all;
  for (const auto& line : report.lines) {
    if (line.line <= first || line.line > last) continue;
    const bool good = line.verdict == Verdict::verified || line.verdict == Verdict::definition;
    if (!good || line.message.find("both sides are 0") != std::string::npos)
      page.faults.push_back(str(line.text, "\n    ", line.message));
    if (good && line.verdict == Verdict::verified) ++page.equations;
    all.push_back({line.latex, line.mathml});
  }
  return all;
}

void add(Page& page, const Case& c, const CheckReport& report, int begin) {
  const int formula = begin + lines_in(with_break(c.formula));
  const bool first = page.equations == 0 && page.blocks.back().kind == Block::Kind::heading;
  if (!c.title.empty() && first) page.text(c.title + ":");
  if (!c.title.empty() && !first) page.heading(c.title);
  const auto shown = lines_of(page, report, begin, formula);
  if (shown.empty()) page.faults.emplace_back("there is no formula");
  page.formulas(shown);
  if (const auto symbols = where(c); !symbols.empty()) page.text(symbols);
  const int before = page.equations;
  const auto derivatives = lines_of(page, report, formula, formula + lines_in(with_break(c.derivative)));
  if (derivatives.empty()) return;
  if (page.equations == before) page.faults.emplace_back("the derivative is only a definition");
  page.heading("Derivative");
  page.formulas(derivatives);
  std::string conventions;
  for (const auto& each : report.conventions) conventions += str(conventions.empty() ? "" : "; ", each);
  if (!conventions.empty()) page.text(str("By [convention](../../conventions.md): ", conventions, "."));
}

/// Not the same for definitions, so that the two do not make up for each other.
std::string_view wrong_by(const std::string& line) {
  return line.find(":=") == std::string::npos ? " + 1/1000" : " + 1/700";
}

/// Each line of the statements, wrong by a thousandth or so.
std::string spoilt(const std::string& statements) {
  if (!spoil_formulas) return with_break(statements);
  std::istringstream in(statements);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    const auto end = std::min(line.find(" for "), line.size());
    text += str(line.substr(0, end), line.empty() ? "" : wrong_by(line), line.substr(end), "\n");
  }
  return text;
}

}  // namespace

std::string vector_definition(const std::string& symbol, const std::vector<double>& numbers) {
  std::string text;
  for (std::size_t k = 0; k < numbers.size(); ++k)
    text += str(k == 0 ? symbol + "[k] := " : " + ", shortest(numbers[k]), "*[k = ", k, "]");
  return str(text, " for k=0..", numbers.size() - 1, "\n");
}

void Named::name(Value value, const std::string& called) {
  if (names.count(value.id()) != 0) value = reshape(value, value.shape());
  names[value.id()] = called;
}

bool spoil_formulas = false;

void add_formulas(Page& page, const Case& c, const std::function<Named()>& make, const Attributes& options) {
  const auto preface = with_break(c.given) + definitions(c, options);
  const auto text = preface + spoilt(c.formula) + spoilt(c.derivative);
  try {
    const auto about = make();
    const auto report = math::check_about(about.graph, about.names, c.samples, text, str(page.family, "/", page.name));
    const int before = page.equations;
    add(page, c, report, lines_in(preface));
    if (page.equations == before) page.faults.emplace_back("the formulas are only definitions");
  } catch (const Error& e) {
    page.faults.push_back(str(e.what(), "\n", text));
  }
}

void add_formulas(Page& page, const Case& c, const std::string& symbol, const std::vector<Point>& points,
                  const Attributes& options) {
  for (const auto& point : points) {
    auto text = with_break(point.given) + definitions(c, options);
    const int begin = lines_in(text);
    text += spoilt(c.formula) + str(symbol, " = ", shortest(point.value), "\n");
    try {
      const auto report = check_derivation(text, page.name);
      const auto& last = report.lines.back();
      if (last.verdict != Verdict::verified) page.faults.push_back(str(last.message, "\n", text));
      if (&point == &points.back()) add(page, c, report, begin);
    } catch (const Error& e) {
      page.faults.push_back(str(e.what(), "\n", text));
      return;
    }
  }
  if (page.faults.empty()) ++page.equations;
}

namespace {

class OptionRows : public FieldVisitor {
 public:
  OptionRows(const VisitFields& options, const Source& source, std::string (*write)(std::string_view))
      : defaults_(texts_of(options)), source_(source), write_(write) {}
  void field(const Field& f, std::int64_t&) override {
    const auto text = f.range.text();
    row(f, text == "a number" ? "a whole number" : "whole, " + text);
  }
  void field(const Field& f, bool&) override { row(f, "true or false"); }
  void field(const Field& f, double&) override { row(f, f.range.text()); }
  void field(const Field& f, std::string&) override { row(f, "a text"); }
  void field(const Field& f, std::vector<std::int64_t>&) override { row(f, "a list of whole numbers"); }
  void field(const Field& f, std::vector<double>&) override { row(f, "a list; each " + f.range.text()); }
  void pair(const Field& f, std::array<std::int64_t, 2>& value, std::string*) override {
    const auto usual = value[0] == value[1] ? str(value[0]) : str("[", value[0], ", ", value[1], "]");
    row(f, f.range.text() + ", or two: rows and columns", usual);
  }
  void choice(const Field& f, std::span<const Word> words, std::size_t& index) override {
    std::string text;
    for (const auto& word : words) {
      const bool truth = word.word == "true" || word.word == "false";
      text += str(text.empty() ? "" : ", ", "`", truth ? "" : "\"", word.word, truth ? "" : "\"", "`",
                  word.meaning.empty() ? "" : ": ", word.meaning);
    }
    row(f, text, std::string(words[index].word));
  }
  void words(const Field& f, std::vector<std::string>&) override { row(f, "a list of words", ""); }

  Table table{{"", "is", "it takes", "without it"}, {}};

 private:
  void row(const Field& f, const std::string& takes, std::optional<std::string> usual = {}) {
    std::string help(f.help);
    if (const auto found = source_.help.find(std::string(f.name)); found != source_.help.end()) help = found->second;
    for (auto at = help.find("](#"); at != std::string::npos; at = help.find("](#", at + 1))
      help.insert(at + 2, "../../networks.md");
    EXPECT_FALSE(help.empty()) << f.name << " has no sentence: give it one in [NAME.help]";
    if (!usual) {
      usual = "";
      for (const auto& [name, value] : defaults_) {
        if (name == f.name) usual = value;
      }
    }
    if (f.must_be_given) usual = "it must be given";
    table.rows.push_back({str("`", write_(f.name), "`"), help, takes, *usual});
  }
  std::vector<std::pair<std::string, std::string>> defaults_;
  const Source& source_;
  std::string (*write_)(std::string_view);
};

}  // namespace

Table options_table(const VisitFields& options, const Source& source, std::string (*write)(std::string_view name)) {
  OptionRows rows(options, source, write);
  options(rows);
  return rows.table;
}

void add_elsewhere(Page& page, const Source& source, const std::string& onnx) {
  EXPECT_FALSE(source.pytorch.empty()) << page.name << ": what does PyTorch call it?";
  EXPECT_FALSE(source.keras.empty()) << page.name << ": what does Keras call it?";
  page.heading("Elsewhere");
  Table table{{"", ""}, {{"PyTorch", source.pytorch}, {"Keras", source.keras}}};
  if (!onnx.empty()) table.rows.push_back({"ONNX", onnx});
  page.table(table);
  if (!source.notes.empty()) page.text(source.notes);
}

void add_command(Page& page, const std::string& command) {
  page.command = command;
  EXPECT_FALSE(command.empty()) << page.family << "/" << page.name << " has no line that runs";
  page.heading("A line that runs");
  page.blocks.push_back({Block::Kind::command, command});
}

Source source_of(std::map<std::string, Source>& all, const std::string& family, const std::string& name) {
  const auto found = all.find(name);
  if (found == all.end()) {
    ADD_FAILURE() << "tests/reference/" << family << ".toml has no [" << name
                  << "]; add it: its formula, derivative, and "
                  << "what PyTorch and Keras call it";
    Source nothing;
    nothing.about = nothing.pytorch = nothing.keras = "?";
    nothing.cases.emplace_back();
    return nothing;
  }
  auto source = std::move(found->second);
  all.erase(found);
  return source;
}

void expect_none_left(const std::map<std::string, Source>& all, const std::string& family) {
  for (const auto& [name, source] : all)
    ADD_FAILURE() << "tests/reference/" << family << ".toml has [" << name << "], which is not in the list";
}

std::string shape_text(const Shape& shape) { return shape.empty() ? "a number" : to_string(shape); }

}  // namespace chalk::reference
