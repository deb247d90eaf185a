#include "src/math/tex_document.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/math/tex_notes.h"

namespace chalk::math {
namespace {

constexpr std::array<std::string_view, 10> kDisplays{"equation", "align",   "gather",  "multline", "displaymath",
                                                     "eqnarray", "flalign", "alignat", "math",     "IEEEeqnarray"};
constexpr std::array<std::string_view, 6> kLineEnvironments{"aligned",   "split",   "gathered",
                                                            "alignedat", "alignat", "multlined"};
/// What a line may begin with that goes on from the one above, and what it may end with if the next one does.
constexpr std::array<std::string_view, 7> kGoesOn{"\\quad", "\\qquad", "+", "\\left.", "\\cdot ", "\\times", "\\odot"};
constexpr std::array<std::string_view, 7> kUnfinished{"=", "+", "-", "\\cdot", "\\times", "\\odot", "("};
constexpr std::array<std::string_view, 6> kRules{"read", "layers", "indices", "argument", "for", "where"};

template <class List>
bool listed(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// \tag{…} or \label{…} of the formula, or nothing.
std::string tag_of(std::string_view text) {
  for (const std::string_view command : {"\\tag", "\\label"}) {
    auto at = text.find(command);
    if (at == std::string_view::npos) continue;
    at += command.size();
    if (at < text.size() && text[at] == '*') ++at;
    return std::string(braced(text, at));
  }
  return {};
}

/// One space for several.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    if (!is_space(c)) out += c;
    if (is_space(c) && out.back() != ' ') out += ' ';
  }
  return out;
}

/// Statements and rules, in order.
std::vector<TexItem> items_of(const std::vector<NoteLine>& lines) {
  std::vector<TexItem> items;
  std::string chalk;
  int first = 0, last = 0;
  const auto flush = [&] {
    if (chalk.empty()) return;
    std::vector<Statement> statements;
    try {
      statements = split_statements(chalk);
    } catch (const FormulaError& e) {
      auto place = e.place();
      place.line += first - 1;
      throw FormulaError(place, e.what());
    }
    for (auto& statement : statements) {
      statement.place.line += first - 1;
      items.push_back({.statement = std::move(statement), .line = 0});
      items.back().line = items.back().statement.place.line;
    }
    chalk.clear();
  };
  for (const auto& [line, text] : lines) {
    if (listed(kRules, first_word(text))) {
      flush();
      TexItem item{.kind = TexItem::Kind::rule, .line = line};
      const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
      item.statement.text = trimmed(text);
      item.statement.place = {line, static_cast<int>(begin) + 1, 1};
      items.push_back(std::move(item));
      continue;
    }
    if (!chalk.empty() && line != last + 1) flush();
    if (chalk.empty()) first = line;
    chalk += text + "\n";
    last = line;
  }
  flush();
  return items;
}

class Scanner {
 public:
  Scanner(std::string_view text, bool markdown) : text_(text), markdown_(markdown) {}

  TexDocument run() {
    while (at_ < text_.size()) {
      if (at_ == 0 || text_[at_ - 1] == '\n') {
        if (whole_line()) continue;
      }
      one();
    }
    flush();
    std::stable_sort(found_.items.begin(), found_.items.end(), [](const TexItem& a, const TexItem& b) {
      const auto &p = a.statement.place, &q = b.statement.place;
      return std::pair(p.line, p.column) < std::pair(q.line, q.column);
    });
    return std::move(found_);
  }

 private:
  bool at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void take(std::size_t bytes) {
    for (; bytes > 0; --bytes, ++at_) {
      if (text_[at_] == '\n') {
        ++place_.line, place_.column = 1;
      } else if (begins_character(text_[at_])) {
        ++place_.column;
      }
    }
  }
  void take_line() { take(std::min(text_.find('\n', at_), text_.size() - 1) - at_ + 1); }

  std::string_view line() const { return text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_); }

  /// "% chalk: …", "```" and a formula by itself with its number.
  bool whole_line() {
    const auto all = line();
    const auto content = trimmed(all);
    if (note(all, place_.line)) {
      take_line();
      return true;
    }
    if (markdown_ && content == "```math") {
      enclosed(content, "\n```");
      return true;
    }
    if (markdown_ && content.starts_with("```")) {
      const auto end = text_.find("\n```", at_ + all.size());
      take((end == std::string_view::npos ? text_.size() : end + 1) - at_);
      if (at_ < text_.size()) take_line();
      return true;
    }
    const auto bracket = content.find(')');
    const bool numbered = bracket != std::string_view::npos && is_number(content.substr(0, bracket + 1));
    const auto formula = numbered ? trimmed(content.substr(bracket + 1)) : content;
    if (!formula.starts_with('$') || formula.starts_with("$$")) return false;
    const auto close = formula.find('$', 1);
    if (close == std::string_view::npos) return false;
    const auto rest = trimmed(formula.substr(close + 1));
    const bool behind = rest.starts_with('(') && rest.ends_with(')') && rest.size() > 2 && rest.size() < 12;
    if (!(numbered ? rest.empty() : behind)) return false;
    take(static_cast<std::size_t>(formula.data() - all.data()) + 1);
    display(formula.substr(1, close - 1));
    label(numbered ? content.substr(1, bracket - 1) : rest.substr(1, rest.size() - 2));
    take_line();
    return true;
  }

  /// Whether the line is "% chalk: …".
  bool note(std::string_view all, int number) {
    auto begin = all.find_first_not_of(" \t");
    if (begin == std::string_view::npos || all[begin] != '%') return false;
    begin = all.find_first_not_of(" \t%", begin);
    if (begin == std::string_view::npos || !all.substr(begin).starts_with("chalk:")) return false;
    begin += 6;
    said_.push_back({number, std::string(characters(all.substr(0, begin)), ' ') + std::string(all.substr(begin))});
    return true;
  }

  void flush() {
    for (auto& item : items_of(said_)) found_.items.push_back(std::move(item));
    said_.clear();
  }

  /// What stands between `open` and `close`; npos if it is not closed.
  std::size_t end_of(std::string_view open, std::string_view close) const {
    for (auto end = text_.find(close, at_ + open.size()); end != std::string_view::npos;
         end = text_.find(close, end + 1)) {
      std::size_t slashes = 0;
      while (slashes < end && text_[end - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) return end;
    }
    return std::string_view::npos;
  }

  void enclosed(std::string_view open, std::string_view close) {
    const auto end = end_of(open, close);
    if (end == std::string_view::npos)
      throw FormulaError(place_, str("the \"", open, "\" here is not closed by \"", close, "\""));
    const auto inside = text_.substr(at_ + open.size(), end - at_ - open.size());
    const auto line_begin = at_ == 0 ? 0 : text_.rfind('\n', at_ - 1) + 1;  // of npos: 0
    const auto before = trimmed(text_.substr(line_begin, at_ - line_begin));
    const auto first = found_.items.size();
    take(open.size());
    display(inside);
    if (is_number(before) && first < found_.items.size() && found_.items[first].statement.label.empty())
      found_.items[first].statement.label = before.substr(1, before.size() - 2);
    take(inside.size() + close.size());
    // "(12)" behind it, or on the next line.
    auto next = at_;
    while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) ++next;
    if (next < text_.size() && text_[next] == '\n') ++next;
    while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) ++next;
    const auto rest = trimmed(text_.substr(next, std::min(text_.find('\n', next), text_.size()) - next));
    if (is_number(rest)) label(rest.substr(1, rest.size() - 2));
  }

  /// "(12)", "(3a)"
  static bool is_number(std::string_view text) {
    return text.size() > 2 && text.size() < 8 && text[0] == '(' && text.back() == ')' && is_digit(text[1]);
  }

  void label(std::string_view text) {
    if (!found_.items.empty() && found_.items.back().kind == TexItem::Kind::equation &&
        found_.items.back().statement.label.empty())
      found_.items.back().statement.label = text;
  }

  void one() {
    if (at("<!--")) return comment();
    if (!markdown_ && at("%")) return take_line();
    if (at("$$")) return enclosed("$$", "$$");
    if (at("\\[")) return enclosed("\\[", "\\]");
    if (at("\\begin{")) return environment();
    if (at("\\$") || at("\\\\") || at("\\%")) return take(2);
    if (at("\\")) {
      if (const auto length = read_macro(text_.substr(at_), found_.macros); length > 0) return take(length);
      return take(1);
    }
    if (at("$")) {  // within a sentence
      const auto end = end_of("$", "$");
      const auto paragraph = text_.find("\n\n", at_);
      return take(end == std::string_view::npos || end > paragraph ? 1 : end + 1 - at_);
    }
    take(1);
  }

  void comment() {
    const auto end = std::min(text_.find("-->", at_), text_.size());
    auto inside = text_.substr(at_ + 4, end - std::min(end, at_ + 4));
    const bool ours = trimmed(inside).starts_with("chalk:");
    if (ours) {
      const auto skip = inside.find("chalk:") + 6;
      take(4 + skip);
      inside.remove_prefix(skip);
      auto column = place_.column;
      for (int number = place_.line;; ++number) {
        const auto length = std::min(inside.find('\n'), inside.size());
        said_.push_back(
            {number, std::string(static_cast<std::size_t>(column - 1), ' ') + std::string(inside.substr(0, length))});
        column = 1;
        if (length == inside.size()) break;
        inside.remove_prefix(length + 1);
      }
    }
    take(std::min(end + 3, text_.size()) - at_);
  }

  void environment() {
    const auto close = text_.find('}', at_);
    const auto name = text_.substr(at_ + 7, std::min(close, text_.size()) - at_ - 7);
    auto plain = name;
    if (plain.ends_with('*')) plain.remove_suffix(1);
    const auto open = str("\\begin{", name, "}"), end = str("\\end{", name, "}");
    if (plain == "verbatim" || plain == "lstlisting") {
      const auto stop = text_.find(end, at_);
      return take(std::min(stop, text_.size()) - at_);
    }
    if (close == std::string_view::npos || !listed(kDisplays, plain)) return take(7);
    one_formula_ = plain == "multline";
    const bool columns = plain == "alignat" || plain == "IEEEeqnarray";
    const auto behind = columns ? text_.find('}', close + 1) : std::string_view::npos;
    enclosed(behind == std::string_view::npos ? std::string_view(open) : text_.substr(at_, behind + 1 - at_), end);
    one_formula_ = false;
  }

  /// Whether a line of a displayed formula goes on from the one above: `raw` with its &, `piece` without.
  bool goes_on(std::string_view above, std::string_view piece, std::string_view raw) const {
    const auto begins = [&](std::string_view with) { return piece.starts_with(with); };
    if (one_formula_ || std::ranges::any_of(kGoesOn, begins)) return true;
    if (trimmed(raw).starts_with('&') && begins("-")) return true;
    return !begins("=") && std::ranges::any_of(kUnfinished, [&](auto with) { return above.ends_with(with); });
  }

  /// \begin{array}{rcl} around all of it, as in old papers.
  static std::string_view without_array(std::string_view text) {
    const auto inside = trimmed(text);
    constexpr std::string_view kOpen = "\\begin{array}", kClose = "\\end{array}";
    if (!inside.starts_with(kOpen) || !inside.ends_with(kClose) || inside.find(kOpen, 1) != std::string_view::npos)
      return {};
    return inside;
  }

  /// The lines of a displayed formula, which begins here.
  void display(std::string_view text) {
    ++displays_;
    std::string plain(text);
    if (const auto array = without_array(text); !array.empty()) {
      const auto begin = static_cast<std::size_t>(array.data() - text.data());
      const auto columns = array.find('}', array.find('}') + 1);
      if (columns == std::string_view::npos) return;
      std::fill_n(plain.begin() + static_cast<std::ptrdiff_t>(begin), columns + 1, ' ');
      std::fill_n(plain.begin() + static_cast<std::ptrdiff_t>(begin + array.size() - 11), 11, ' ');
    }
    std::string tag;
    std::vector<Line> lines;
    std::size_t begin = 0;
    int depth = 0;  // braces and environments that are no lines
    const auto blank = [&](std::size_t from, std::size_t to) {
      for (auto k = from; k < std::min(to, plain.size()); ++k) {
        if (plain[k] != '\n') plain[k] = begins_character(plain[k]) ? ' ' : '\x01';
      }
    };
    const auto finish = [&](std::size_t end) {
      const auto piece = trimmed(std::string_view(plain).substr(begin, end - begin));
      const bool same =
          !lines.empty() && !piece.empty() &&
          goes_on(trimmed(std::string_view(plain).substr(lines.back().begin, lines.back().end - lines.back().begin)),
                  piece, text.substr(begin, end - begin));
      if (same) {
        lines.back().end = end;
        const auto first = static_cast<std::size_t>(piece.data() - plain.data());
        for (const std::string_view space : {"\\qquad", "\\quad"}) {  // which would begin another statement
          if (piece.starts_with(space)) blank(first, first + space.size());
        }
      } else if (!piece.empty()) {
        lines.push_back({begin, end, tag});
      } else if (!tag.empty() && !lines.empty()) {
        lines.back().tag = tag;
      }
      if (same && !tag.empty()) lines.back().tag = tag;
      tag.clear();
    };
    for (std::size_t k = 0; k < plain.size(); ++k) {
      const auto rest = std::string_view(plain).substr(k);
      if (plain[k] == '{') ++depth;
      if (plain[k] == '}') --depth;
      if (plain[k] == '&' && depth == 0) plain[k] = ' ';
      if (plain[k] == '%') {
        const auto end = std::min(plain.find('\n', k), plain.size());
        const auto from = plain.rfind('\n', k) == std::string::npos ? 0 : plain.rfind('\n', k) + 1;
        if (from > 0) {  // a whole line may be ours
          const auto number =
              place_.line +
              static_cast<int>(std::count(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(from), '\n'));
          note(std::string_view(plain).substr(from, end - from), number);
        }
        blank(k, end);
      }
      if (plain[k] != '\\') continue;
      if (rest.starts_with("\\tag") || rest.starts_with("\\label")) {
        const auto end = std::min(plain.find('}', k), plain.size() - 1) + 1;
        if (tag.empty() || rest.starts_with("\\tag")) tag = tag_of(rest.substr(0, end - k));
        blank(k, end);
      } else if (rest.starts_with("\\begin{") || rest.starts_with("\\end{")) {
        const bool opens = rest[1] == 'b';
        const auto end = std::min(plain.find('}', k), plain.size() - 1) + 1;
        auto name = rest.substr(opens ? 7 : 5, end - k - (opens ? 8 : 6));
        if (name.ends_with('*')) name.remove_suffix(1);
        if (depth == 0 && listed(kLineEnvironments, name)) {
          auto stop = end;
          if (opens && name.starts_with("aligned") && name != "aligned")
            stop = std::min(plain.find('}', end), plain.size() - 1) + 1;
          blank(k, stop);
        } else if (!listed(kLineEnvironments, name) || depth > 0) {
          depth += opens ? 1 : -1;
          k = end - 1;
        }
      } else if (rest.starts_with("\\\\")) {
        if (depth == 0) {
          finish(k);
          auto end = k + 2;
          if (end < plain.size() && plain[end] == '[') end = std::min(plain.find(']', end), plain.size() - 1) + 1;
          blank(k, end);
          begin = end;
          k = end - 1;
        } else {
          ++k;
        }
      } else if (k + 1 < plain.size()) {
        ++k;  // \{ and the like
      }
    }
    finish(plain.size());
    if (lines.empty()) label(tag_of(text));
    for (const auto& each : lines) add_line(plain, each);
  }

  struct Line {
    std::size_t begin, end;
    std::string tag;
  };

  /// Part of `plain`, which begins where we are.
  void add_line(const std::string& plain, const Line& each) {
    TexItem item{.kind = TexItem::Kind::equation};
    auto place = place_;
    auto begin = each.begin;
    for (std::size_t k = 0; k < each.end; ++k) {
      if (k >= begin) {
        if (!is_space(plain[k]) && plain[k] != '\x01') break;
        begin = k + 1;
      }
      if (plain[k] == '\n') {
        ++place.line, place.column = 1;
      } else if (begins_character(plain[k]) && plain[k] != '\x01') {
        ++place.column;
      }
    }
    auto& s = item.statement;
    s.text = plain.substr(begin, each.end - begin);
    std::erase(s.text, '\x01');
    while (!s.text.empty() && is_space(s.text.back())) s.text.pop_back();
    s.place = place;
    s.label = each.tag;
    s.source = {squeezed(s.text)};
    item.line = place.line;
    item.display = displays_;
    found_.items.push_back(std::move(item));
  }

  std::string_view text_;
  bool markdown_;
  std::size_t at_ = 0;
  Place place_{};
  int displays_ = 0;
  bool one_formula_ = false;  // its lines are
  TexDocument found_;
  std::vector<NoteLine> said_;
};

}  // namespace

bool is_markdown(std::string_view name) {
  return name.ends_with(".md") || name.ends_with(".markdown") || name.ends_with(".txt");
}

TexDocument read_document(std::string_view text, bool markdown, std::string_view notes_text) {
  check_text(text);
  Notes notes;
  try {
    check_text(notes_text);
    notes = read_notes(notes_text);
  } catch (const NotesError&) {
    throw;
  } catch (const FormulaError& e) {
    throw NotesError(e.place(), e.what());
  }
  const auto whole = repaired(text, notes.repairs);
  auto document = Scanner(whole, markdown).run();
  std::vector<std::pair<Anchor, std::vector<TexItem>>> blocks;
  for (const auto& [anchor, lines] : notes.blocks) {
    try {
      blocks.emplace_back(anchor, items_of(lines));
    } catch (const FormulaError& e) {
      throw NotesError(e.place(), e.what());
    }
  }
  std::vector<TexItem> items;
  std::vector<bool> put(blocks.size());
  int equation = 0;  // how many there were
  const auto put_those = [&](int line, bool all) {
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      const auto& [anchor, found] = blocks[k];
      const bool due = anchor.equation
                           ? equation + 1 > anchor.number || (!anchor.after && equation + 1 == anchor.number)
                           : line > anchor.number || (!anchor.after && line == anchor.number);
      if (put[k] || !(due || all)) continue;
      put[k] = true;
      for (auto item : found) {
        item.notes = true;
        item.line = line;
        items.push_back(std::move(item));
      }
    }
  };
  int last = 1;
  for (auto& item : document.items) {
    put_those(last = item.line, false);
    equation += item.kind == TexItem::Kind::equation ? 1 : 0;
    items.push_back(std::move(item));
  }
  put_those(last, true);
  document.items = std::move(items);
  return document;
}

}  // namespace chalk::math
