// chalkgrad check: equations about a network, as people write them, true or false.
#include "chalkgrad/check.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"
#include "src/base/file.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kIndent = 21;  // of what is said about a formula: the width of its number and verdict

struct Options {
  std::vector<std::string> files;
  std::string notes, sheet;
  bool csv = false, markdown = false;
  CheckOptions check;
  bool json = false, latex = false, quiet = false;
};

struct Screen {
  bool colour = isatty(STDOUT_FILENO) == 1 && !std::getenv("NO_COLOR");
  std::size_t width = 0;  // 0: not a terminal, lines may be as long as they are

  Screen() {
    winsize size{};
    if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
      width = std::max<std::size_t>(size.ws_col, 60);
  }
  std::string painted(const char* code, const std::string& text) const {
    return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  }
  /// Words broken into lines behind an indent, as far as the screen is known.
  std::string wrapped(std::string_view text, std::size_t indent) const {
    std::string lines;
    std::size_t used = 0;  // columns of this line
    while (!text.empty()) {
      const auto word = text.substr(0, text.find(' '));
      const auto columns = characters(word);
      if (used > 0 && width > 0 && indent + used + 1 + columns > width) {
        lines += "\n" + std::string(indent, ' ');
        used = 0;
      }
      lines += used > 0 ? " " : "";
      lines += word;
      used += columns + (used > 0 ? 1 : 0);
      text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return lines;
  }
  static std::string first(const std::string& text, std::size_t count) {
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
      if (begins_character(text[end]) && count-- == 0) break;
    }
    return text.substr(0, end);
  }
  /// What fits behind `used` columns.
  std::string fitting(const std::string& text, std::size_t used) const {
    if (width == 0) return text;
    std::size_t columns = used, last = 0;  // where the last character that leaves room for … ends
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = begins_character(text[i]);
      if (begins && columns + 1 == width) last = i;
      if (begins && ++columns > width) return text.substr(0, last) + "…";
    }
    return text;
  }
};

std::string verdict_of(const CheckedLine& line, const Screen& screen) {
  const char* colour = line.verdict == Verdict::verified     ? "32"
                       : line.verdict == Verdict::definition ? "2"
                       : line.verdict == Verdict::failed     ? "1;31"
                                                             : "33";
  const auto word = line.verdict == Verdict::failed ? "FALSE" : name_of(line.verdict);  // which nobody overlooks
  return screen.painted(colour, fmt::format("{:<10}", word));
}

/// The line of the text that an error points into, and a mark below the character.
std::string pointer(const std::string& text, int line, int column) {
  std::size_t begin = 0;
  for (int n = 1; n < line && begin != std::string::npos; ++n) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos || begin >= text.size()) return {};
  auto source = text.substr(begin, text.find('\n', begin) - begin);
  for (char& c : source) {
    if (c == '\t' || c == '\r') c = ' ';
  }
  // Of a long line, what is around the place.
  constexpr std::size_t kShown = 110, kBefore = 70;
  if (const auto at = static_cast<std::size_t>(column); at > kBefore && characters(source) > kShown) {
    std::size_t cut = 0;
    for (std::size_t n = 0; n < at - kBefore; ++n) {
      do ++cut;
      while (cut < source.size() && !begins_character(source[cut]));
    }
    source = "…" + source.substr(cut);
    column = static_cast<int>(kBefore) + 1;
  }
  if (characters(source) > kShown) source = Screen::first(source, kShown - 1) + "…";
  const auto indent = std::string(kIndent, ' ');
  return fmt::format("{}{} | {}\n{}{} | {}^\n", indent, line, source, indent,
                     std::string(std::to_string(line).size(), ' '),
                     std::string(static_cast<std::size_t>(column - 1), ' '));
}

void print_line(const CheckedLine& line, const std::string& text, const Screen& screen) {
  constexpr std::size_t kLongest = 6;  // a label of a document may be a word
  const bool number = !line.label.empty() && line.label.size() <= kLongest;
  const auto label = number ? "(" + line.label + ")" : fmt::format("line {}", line.line);
  const auto indent = std::string(kIndent, ' ');
  fmt::print("{:<9}{}  {}\n", label, verdict_of(line, screen), screen.fitting(line.text, kIndent));
  if (!line.message.empty()) fmt::print("{}{}\n", indent, screen.wrapped(line.message, kIndent));
  if (line.verdict == Verdict::failed && line.column > 0) fmt::print("{}", pointer(text, line.line, line.column));
  if (line.verdict != Verdict::erratum) return;
  fmt::print("{}as printed: {}\n", indent, screen.wrapped(line.difference, kIndent + 12));
  fmt::print("{}corrected:  {}\n", indent, screen.fitting(line.corrected, kIndent + 12));
}

/// What its derivatives go by, in a line.
std::string conventions_of(const CheckReport& report) {
  std::string all;
  for (const auto& each : report.conventions) all += (all.empty() ? "" : "; ") + each;
  return all;
}

void print_latex(const CheckReport& report) {
  for (const auto& line : report.lines) {
    if (line.latex.empty()) continue;
    const auto tag = line.label.empty() ? "" : fmt::format(" \\tag{{{}}}", line.label);
    const bool remark = line.verdict != Verdict::erratum && !line.message.empty();
    fmt::print("\\[ {}{} \\]  % {}{}\n", line.latex, tag, name_of(line.verdict), remark ? "; " + line.message : "");
    if (line.verdict == Verdict::erratum) fmt::print("\\[ {} \\]  % corrected\n", line.corrected_latex);
  }
  if (!report.conventions.empty()) fmt::print("% by convention: {}\n", conventions_of(report));
}

Json to_json(const std::string& file, const CheckReport& report) {
  Json json{{"file", file},
            {"verified", report.verified},
            {"errata", report.errata},
            {"definitions", report.definitions},
            {"failed", report.failed},
            {"excepted", report.excepted},
            {"conventions", report.conventions},
            {"lines", Json::array()}};
  for (const auto& line : report.lines) {
    Json row{{"line", line.line}, {"verdict", name_of(line.verdict)}, {"formula", line.text}};
    const std::pair<const char*, const std::string*> texts[] = {
        {"part", &line.part},     {"label", &line.label},           {"latex", &line.latex},
        {"source", &line.source}, {"difference", &line.difference}, {"message", &line.message},
        {"offer", &line.offer},   {"corrected", &line.corrected},   {"corrected_latex", &line.corrected_latex}};
    for (const auto& [key, value] : texts) {
      if (!value->empty()) row[key] = *value;
    }
    if (line.column > 0) row["column"] = line.column;
    json["lines"].push_back(std::move(row));
  }
  return json;
}

std::string summary(const CheckReport& report) {
  return fmt::format("{} verified, {} {}, {}, {} failed{}", report.verified, report.errata,
                     report.errata == 1 ? "erratum" : "errata", counted(report.definitions, "definition"),
                     report.failed,
                     report.excepted == 0 ? "" : fmt::format(", {} true except at kinks", report.excepted));
}

/// Standard input is called what it is, not "-".
std::string name_of(const std::string& file) { return file == "-" ? "standard input" : file; }

std::string text_of(const std::string& file) {
  const auto bytes = read_file(file == "-" ? "/dev/stdin" : file, kMostBytes);
  return {bytes.begin(), bytes.end()};
}

CheckReport judged(const std::string& file, const std::string& text, const CheckOptions& options) {
  auto report =
      is_document(file) ? check_latex(text, name_of(file), options) : check_derivation(text, name_of(file), options);
  if (report.lines.empty())
    throw InputError(name_of(file) + ": has no equation; docs/check.md shows how they are written");
  return report;
}

void print(const CheckReport& report, const std::string& text, const Screen& screen, bool quiet) {
  std::string part;
  for (const auto& line : report.lines) {
    const bool good = line.verdict == Verdict::erratum || line.message.empty();  // and there is no remark
    if (quiet && good && line.verdict != Verdict::failed) continue;
    if (line.part != part) fmt::print("\n{}\n", screen.painted("1", part = line.part));
    print_line(line, text, screen);
  }
  const auto conventions = conventions_of(report);
  if (!conventions.empty()) fmt::print("by convention: {}\n", screen.wrapped(conventions, 15));
  fmt::print("{}\n", screen.painted(report.failed == 0 ? "1" : "1;31", summary(report)));
}

// ---- answers to an exercise sheet ----

struct Graded {
  std::string name;  // the answer's file
  std::string error;
  std::vector<GradedStep> steps;
};

const char* word(Mark mark) { return mark == Mark::right ? "right" : mark == Mark::wrong ? "wrong" : "missing"; }

/// Where it first goes wrong.
std::string first_wrong(const Graded& answer) {
  if (!answer.error.empty()) return "cannot be read: " + answer.error;
  for (const auto& step : answer.steps) {
    if (step.mark == Mark::right) continue;
    if (step.mark == Mark::missing) return fmt::format("({}) is missing", step.label);
    return fmt::format("({}) line {}: {}{}", step.label, step.line, step.formula.empty() ? "" : step.formula + ": ",
                       step.message);
  }
  return {};
}

/// A field of CSV, in quotes if it needs them.
std::string field(std::string text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, "\"");
  return "\"" + text + "\"";
}

std::string in_markdown(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

void print_rows(const Options& o, std::vector<std::vector<std::string>> rows) {
  const std::size_t columns = rows[0].size();
  std::vector<std::size_t> widths(columns, 0);
  for (auto& row : rows) {
    for (std::size_t k = 0; k < columns; ++k) {
      if (o.csv) row[k] = field(row[k]);
      if (o.markdown) row[k] = in_markdown(row[k]);
      widths[k] = std::max(widths[k], characters(row[k]));
    }
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = o.markdown ? "| " : "";
    for (std::size_t k = 0; k < columns; ++k) {
      const bool last = k + 1 == columns;
      line += rows[r][k];
      if (o.csv) line += last ? "" : ",";
      if (!o.csv && !last) line += std::string(widths[k] - characters(rows[r][k]), ' ') + (o.markdown ? " | " : "  ");
    }
    if (o.markdown) line += " |";
    while (line.ends_with(' ')) line.pop_back();
    fmt::print("{}\n", line);
    if (r > 0 || !o.markdown) continue;
    for (std::size_t k = 0; k < columns; ++k) fmt::print("|---");
    fmt::print("|\n");
  }
}

void print_grades(const Options& o, const std::vector<GradedStep>& asked, const std::vector<Graded>& answers) {
  if (o.json) {
    Json all = Json::array();
    for (const auto& answer : answers) {
      Json json{{"file", answer.name}};
      if (!answer.error.empty()) json["error"] = answer.error;
      if (answer.error.empty()) json["steps"] = Json::array();
      for (const auto& step : answer.steps) {
        Json row{{"label", step.label}, {"mark", word(step.mark)}};
        if (step.line > 0) row["line"] = step.line;
        if (!step.formula.empty()) row["formula"] = step.formula;
        if (!step.message.empty()) row["message"] = step.message;
        json["steps"].push_back(std::move(row));
      }
      all.push_back(std::move(json));
    }
    return print_json(all);
  }
  std::vector<std::vector<std::string>> rows{{"answer"}};
  for (const auto& step : asked) rows[0].push_back("(" + step.label + ")");
  rows[0].insert(rows[0].end(), {"right", "first wrong step"});
  for (const auto& answer : answers) {
    rows.push_back({answer.name});
    std::size_t right = 0;
    for (std::size_t k = 0; k < asked.size(); ++k) {
      const bool read = k < answer.steps.size();
      rows.back().emplace_back(read ? word(answer.steps[k].mark) : "");
      right += read && answer.steps[k].mark == Mark::right ? 1 : 0;
    }
    rows.back().push_back(fmt::format("{} of {}", right, asked.size()));
    rows.back().push_back(first_wrong(answer));
  }
  print_rows(o, std::move(rows));
}

int grade(const Options& o) {
  const auto sheet = text_of(o.sheet);
  const auto asked = grade_answer(sheet, {}, name_of(o.sheet), {}, o.check);  // and whatever is wrong with the sheet
  std::vector<Graded> answers;
  bool all_right = true;
  for (const auto& file : o.files) {
    answers.push_back({.name = file, .error = {}, .steps = {}});
    auto& answer = answers.back();
    try {
      answer.steps = grade_answer(sheet, text_of(file), name_of(o.sheet), name_of(file), o.check);
    } catch (const Error& e) {
      answer.error = e.what();
    }
    all_right = all_right && first_wrong(answer).empty();
  }
  print_grades(o, asked, answers);
  return all_right ? kOk : kFailed;
}

int check(const Options& given) {
  auto o = given;
  o.check.offer = true;
  const Screen screen;
  if (!o.sheet.empty()) return grade(o);
  if (o.csv || o.markdown) throw UsageError("--csv and --markdown are for the table of --grade");
  if (!o.notes.empty()) {
    if (o.files.size() > 1 || !is_document(o.files[0]))
      throw UsageError("--notes: they are about one document in LaTeX or Markdown, which is FILE");
    o.check.notes = text_of(o.notes);
  }
  const bool several = o.files.size() > 1;
  std::size_t unread = 0;
  std::vector<Json> all;
  CheckReport total;
  for (const auto& file : o.files) {
    if (several && !o.json && !o.latex)
      fmt::print("{}{}\n", &file == &o.files.front() ? "" : "\n", screen.painted("1", file));
    CheckReport report;
    std::string text;
    try {
      text = text_of(file);
      report = judged(file, text, o.check);
    } catch (const Error& e) {
      if (!several) throw;
      ++unread;  // the others are checked all the same
      print_error(e.what());
      all.push_back(Json{{"file", file}, {"error", e.what()}});
      continue;
    }
    total.verified += report.verified, total.errata += report.errata;
    total.definitions += report.definitions, total.failed += report.failed;
    total.excepted += report.excepted;
    if (o.json) {
      all.push_back(to_json(file, report));
    } else if (o.latex) {
      print_latex(report);
    } else {
      print(report, text, screen, o.quiet);
    }
  }
  const bool good = total.failed + unread == 0;
  if (several && !o.json && !o.latex) {
    fmt::print("\n{} files: {}{}\n", o.files.size(), screen.painted(good ? "1" : "1;31", summary(total)),
               unread == 0 ? "" : fmt::format(", {} not read", unread));
  }
  if (o.json) print_json(several ? Json(all) : all.front());
  return good ? kOk : kFailed;
}

}  // namespace

void add_check(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("check", "Check equations about a network, written as people write them", options, check);
  command
      .texts("FILE", options->files,
             "Derivations (.chalk), or documents with formulas in LaTeX (.tex, .md); - is standard input", "")
      .required();
  command.text("--notes", options->notes, "What is said about a document's formulas beside it", "FILE");
  command.whole("--seed", options->check.seed, kSeeds, "Decides the random numbers that equations are tried on")
      .shows_default();
  command.whole("--trials", options->check.trials, {1, 1000}, "How many times they are drawn").shows_default();
  command.flag("--quiet", options->quiet, "Print what is false, remarks, and the summary");
  command
      .text("--grade", options->sheet,
            "An exercise sheet: grades each FILE, in this language, LaTeX or Markdown, as an answer to it", "SHEET")
      .excludes("--notes");
  command.flag("--csv", options->csv, "With --grade: the table as comma-separated values");
  command.flag("--markdown", options->markdown, "With --grade: the table in Markdown");
  command.flag("--latex", options->latex, "Print the formulas in LaTeX instead");
  add_json(command, options->json).excludes("--latex").excludes("--csv").excludes("--markdown");
  command.footer(
      "docs/check.md teaches the language in ten minutes. One line to try:\n"
      "  echo 'network x: 3 > s = dense(W: 2 outputs) > y = tanh; dy[i]/dx[j] = (1 - y[i]^2)*W[i,j]' | chalkgrad check "
      "-\n"
      "Exit code 1 if an equation is false.");
}

}  // namespace chalk::app
