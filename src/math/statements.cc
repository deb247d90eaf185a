#include "src/math/statements.h"

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/lexer.h"

namespace chalk::math {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20;
constexpr std::size_t kMostStatement = 20'000;

std::string_view trimmed_right(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t first_letter(std::string_view text) {
  const auto at = std::find_if_not(text.begin(), text.end(), is_space);
  return static_cast<std::size_t>(at - text.begin());
}

/// Up to a comment; # in quotes is none.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

/// Words after these are free text.
bool is_prose(std::string_view statement) {
  const auto word = statement.substr(0, statement.find_first_of(" \t\r\n"));
  return word == "part" || word == "erratum";
}

void check_characters(std::string_view text) {
  Place place;
  while (!text.empty()) {
    const auto [code, length] = first_character(text);
    if (length == 0) throw FormulaError(place, "this is not UTF-8; save the text in that encoding");
    const bool control = (code < 0x20 && !is_space(text[0])) || (code >= 0x7F && code < 0xA0);
    if (control) throw FormulaError(place, "a control character cannot stand in a derivation; remove it");
    ++place.column;
    if (code == '\n') place = {place.line + 1, 1, 1};
    text.remove_prefix(length);
  }
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Statement> run() {
    int number = 0;
    while (!text_.empty()) {
      const auto end = std::min(text_.find('\n'), text_.size());
      auto line = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      one_line(line, ++number);
    }
    finish();
    if (!source_.empty())
      throw FormulaError({number, 1, 1}, "the document is quoted (%) here, but no statement follows");
    return std::move(statements_);
  }

 private:
  void one_line(std::string_view line, int number) {
    const auto begin = first_letter(line);
    if (begin < line.size() && line[begin] == '%') {
      finish();
      source_.emplace_back(trimmed_right(
          line.substr(std::min(begin + 1 + (line.substr(begin + 1).starts_with(' ') ? 1 : 0), line.size()))));
      return;
    }
    // A ; ends a statement, too.
    const auto rest = is_prose(line.substr(std::min(begin, line.size()))) ? line : without_comment(line);
    if (begin < line.size() && begin >= rest.size()) return;  // nothing but a comment
    const bool prose = is_prose(line.substr(begin));
    std::size_t from = 0;
    int column = 1;
    bool quoted = false;
    for (std::size_t i = 0; i <= rest.size(); ++i) {
      if (i < rest.size() && rest[i] == '"') quoted = !quoted;
      const bool ends = i < rest.size() && rest[i] == ';' && !quoted && !prose;
      if (!ends && i < rest.size()) continue;
      piece(rest.substr(from, i - from), {number, column, 1});
      if (ends) finish();
      column += static_cast<int>(characters(rest.substr(from, i - from))) + 1;
      from = i + 1;
    }
  }

  void piece(std::string_view text, Place place) {
    const auto skip = first_letter(text);
    text = trimmed_right(text);
    if (skip >= text.size()) {
      finish();  // an empty line ends whatever is open, so that a missing bracket spoils one statement only
      return;
    }
    const auto sign = typed(text.substr(skip));
    const char first = sign.empty() ? text[skip] : sign[0];
    const bool goes_on = begun_ && (open_ || std::string_view(">*/+@.^").find(first) != std::string_view::npos);
    if (!goes_on) {
      finish();
      begun_ = true;
      quoted_ = false;
      depth_ = 0;
      now_ = {};
      now_.place = {place.line, place.column + static_cast<int>(skip), 1};
      now_.text = text.substr(skip);
      last_line_ = place.line;
    } else {
      // Line breaks are kept, so that places can be counted.
      now_.text += std::string(static_cast<std::size_t>(place.line - last_line_), '\n') +
                   std::string(last_line_ == place.line ? 1 : static_cast<std::size_t>(place.column - 1), ' ');
      now_.text += text;
      last_line_ = place.line;
    }
    if (now_.text.size() > kMostStatement)
      throw FormulaError(now_.place,
                         str("a statement of more than ", grouped(kMostStatement), " bytes; name parts of it with :="));
    open_ = !is_prose(now_.text) && expects_more(text);
  }

  /// After this piece of the statement.
  bool expects_more(std::string_view text) {
    for (const char c : text) {
      if (c == '"') quoted_ = !quoted_;
      if (quoted_) continue;
      if (c == '(' || c == '[') ++depth_;
      if (c == ')' || c == ']') --depth_;
    }
    std::size_t last = now_.text.size() - 1;
    while (last > 0 && !begins_character(now_.text[last])) --last;
    const auto sign = typed(std::string_view(now_.text).substr(last));
    const char end = sign.empty() || sign == "^T" ? now_.text.back() : sign.back();
    return depth_ > 0 || std::string_view("+-*/@=,>^").find(end) != std::string_view::npos;
  }

  void finish() {
    if (!begun_) return;
    begun_ = open_ = false;
    take_label();
    now_.source = std::move(source_);
    source_.clear();
    statements_.push_back(std::move(now_));
  }

  /// "(10)", "(49a)", "(3.2)": begins with a digit and is followed by a space.
  void take_label() {
    auto& text = now_.text;
    if (text.size() < 3 || text[0] != '(' || text[1] < '0' || text[1] > '9') return;
    const auto end = text.find(')');
    if (end == std::string::npos || end > 12 || (end + 1 < text.size() && !is_space(text[end + 1]))) return;
    const auto label = text.substr(1, end - 1);
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '\'';
    });
    if (!plain) return;
    auto begin = end + 1;
    while (begin < text.size() && (text[begin] == ' ' || text[begin] == '\t')) ++begin;
    if (begin == text.size()) throw FormulaError(now_.place, str("nothing follows the label (", label, ")"));
    now_.label = label;
    now_.place.column += static_cast<int>(begin);
    text.erase(0, begin);
  }

  std::string_view text_;
  std::vector<Statement> statements_;
  Statement now_;
  bool begun_ = false, open_ = false, quoted_ = false;
  int depth_ = 0;  // brackets that are open
  int last_line_ = 0;
  std::vector<std::string> source_;
};

}  // namespace

void check_text(std::string_view text) {
  if (text.size() > kMostText)
    throw FormulaError({},
                       str("the text has ", grouped(text.size()), " bytes; at most ", grouped(kMostText), " are read"));
  check_characters(text);
}

std::vector<Statement> split_statements(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // some editors begin UTF-8 with it
  check_text(text);
  return Splitter(text).run();
}

}  // namespace chalk::math
