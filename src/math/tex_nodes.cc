#include "src/math/tex_nodes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/lexer.h"
#include "src/math/tex_commands.h"

namespace chalk::math {
namespace {

constexpr int kDeepestGroup = 60;           // groups within groups, and macros within macros
constexpr std::size_t kMostNodes = 10'000;  // of a formula, with its macros written out

/// N \times K, which says how large something is.
bool is_product_of_sizes(const std::vector<TexNode>& nodes) {
  if (nodes.size() < 3 || nodes.size() % 2 == 0) return false;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (k % 2 == 1 ? !nodes[k].is("*") : nodes[k].kind != nodes[0].kind) return false;
  }
  return nodes[0].is_name() || nodes[0].kind == TexNode::Kind::number;
}

class TexParser {
 public:
  TexParser(std::string_view text, Place place, const TexMacros& macros)
      : text_(text), place_(place), macros_(macros) {}

  std::vector<TexNode> run() {
    auto nodes = list("");
    if (at_ < text_.size()) fail("a \"}\" without its \"{\"");
    return nodes;
  }

  int depth = 0;
  std::size_t* count = &own_count_;
  bool within_macro = false;  // all of it is at its place

 private:
  using Kind = TexNode::Kind;

  [[noreturn]] void fail(const std::string& message) const { throw FormulaError(place_, message); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void take(std::size_t bytes) {
    for (; bytes > 0; --bytes, ++at_) {
      if (within_macro) continue;
      if (text_[at_] == '\n') {
        ++place_.line, place_.column = 1;
      } else if (begins_character(text_[at_])) {
        ++place_.column;
      }
    }
  }
  void skip_space() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_]) || text_[at_] == '~') {
        take(1);
      } else if (text_[at_] == '%') {
        take(std::min(text_.find('\n', at_), text_.size()) - at_);
      } else {
        return;
      }
    }
  }

  /// Nodes up to "}", or up to \end or \right if `end` says so.
  std::vector<TexNode> list(std::string_view end) {
    if (++depth > kDeepestGroup)
      fail(str("more than ", kDeepestGroup, " groups within groups; name a part of the formula"));
    std::vector<TexNode> nodes;
    for (;;) {
      skip_space();
      if (at_ == text_.size() || peek() == '}') break;
      const auto rest = text_.substr(at_);
      const bool ends = !end.empty() && rest.starts_with(end);
      if (ends && !(is_letter(end.back()) && rest.size() > end.size() && is_letter(rest[end.size()]))) break;
      one(nodes);
    }
    --depth;
    const auto over = std::ranges::find_if(nodes, [](const TexNode& node) { return node.is_word("over"); });
    if (over != nodes.end()) {  // {a \over b}
      auto fraction = made(Kind::command, "frac", over->place);
      fraction.args = {std::vector<TexNode>(nodes.begin(), over), std::vector<TexNode>(over + 1, nodes.end())};
      nodes.clear();
      nodes.push_back(std::move(fraction));
    }
    return nodes;
  }

  TexNode made(Kind kind, std::string_view text, Place place) const {
    TexNode node;
    node.kind = kind;
    node.text = text;
    node.place = place;
    node.place.length = std::max(1, place.line == place_.line ? place_.column - place.column : 1);
    return node;
  }

  void add(std::vector<TexNode>& nodes, TexNode node) const {
    if (++*count > kMostNodes) fail(str("a formula of more than ", grouped(kMostNodes), " signs; name parts of it"));
    const bool change = !nodes.empty() && nodes.back().kind == Kind::letter && nodes.back().text == "Delta" &&
                        nodes.back().plain() && node.kind == Kind::letter;
    if (change) {  // \Delta w is one name
      node.text.insert(0, "Delta");
      node.place = nodes.back().place;
      nodes.pop_back();
    }
    nodes.push_back(std::move(node));
  }

  /// A number is a single digit where a script's argument is one.
  void one(std::vector<TexNode>& nodes, bool argument = false) {
    const Place begin = place_;
    const char c = peek();
    if (c == '\\') return command(nodes);
    if (c == '{') {
      take(1);
      auto node = made(Kind::group, "", begin);
      node.args.push_back(list(""));
      if (peek() != '}') throw FormulaError(begin, "a \"{\" that is not closed");
      take(1);
      const auto& inside = node.args[0];
      if (inside.size() == 1 && inside[0].is_name() && inside[0].plain()) node = TexNode(inside[0]);  // {\bf x}
      return add(nodes, std::move(node));
    }
    if (c == '^' || c == '_') return script(nodes, c == '^');
    if (c == '\'') {
      take(1);
      if (nodes.empty()) throw FormulaError(begin, "a ' must follow a name");
      ++nodes.back().primes;
      return;
    }
    const bool decimal = c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);  // .5
    if (is_digit(c) || decimal) {
      std::size_t n = decimal ? 2 : 1;
      const auto rest = text_.substr(at_);
      if (!argument) {
        while (n < rest.size() &&
               (is_digit(rest[n]) || (rest[n] == '.' && n + 1 < rest.size() && is_digit(rest[n + 1]))))
          ++n;
      }
      const auto digits = str(decimal ? "0" : "", rest.substr(0, n));
      take(n);
      return add(nodes, made(Kind::number, digits, begin));
    }
    if (is_letter(c)) {
      take(1);
      return add(nodes, made(Kind::letter, std::string_view(&c, 1), begin));
    }
    unicode(nodes);
  }

  /// Everything else: signs, and letters that are typed as such.
  void unicode(std::vector<TexNode>& nodes) {
    const Place begin = place_;
    const auto rest = text_.substr(at_);
    const auto bytes = std::max<std::size_t>(1, first_character(rest).bytes);
    const auto character = rest.substr(0, bytes);
    if (const auto typed_as = typed(character); !typed_as.empty()) {
      take(bytes);
      return add(nodes, made(Kind::sign, typed_as == "^T" ? "T" : typed_as, begin));
    }
    if (const auto letter = typed_letter(character); !letter.empty()) {
      take(bytes);
      const bool word = letter == "d" || letter == "sum" || letter == "prod";
      return add(nodes, made(word ? Kind::word : Kind::letter, letter == "d" ? "partial" : letter, begin));
    }
    for (const std::string_view sign : {":=", "||", "<=", ">="}) {
      if (!rest.starts_with(sign)) continue;
      take(2);
      return add(nodes, made(Kind::sign, sign, begin));
    }
    if (std::string_view("+-*/=()[],;:|<>.!&").find(character[0]) == std::string_view::npos || bytes > 1)
      fail(in_quotes(character) + " is not understood in a formula");
    take(1);
    add(nodes, made(Kind::sign, character, begin));
  }

  void script(std::vector<TexNode>& nodes, bool above) {
    const Place begin = place_;
    take(1);
    skip_space();
    if (nodes.empty()) {  // {}^T: of nothing
      nodes.push_back(made(Kind::group, "", begin));
      nodes.back().args.emplace_back();
    }
    if (at_ == text_.size() || peek() == '}')
      throw FormulaError(begin, str("nothing follows the \"", above ? "^" : "_", "\""));
    std::vector<TexNode> inside;
    one(inside, true);
    if (inside.size() == 1 && inside[0].kind == Kind::group && inside[0].plain())
      inside = std::vector(inside[0].args[0]);
    auto& node = nodes.back();
    if (!above && is_product_of_sizes(inside)) return;
    if (above && !inside.empty() && std::ranges::all_of(inside, [](const auto& each) { return each.is("'"); })) {
      node.primes += static_cast<int>(inside.size());
      return;
    }
    auto& to = above ? node.sup : node.sub;
    if (!to.empty())
      throw FormulaError(
          begin, str("a second ", above ? "superscript" : "subscript", "; put all of it into one pair of braces"));
    to = std::move(inside);
  }

  std::vector<TexNode> argument() {
    skip_space();
    if (at_ == text_.size() || peek() == '}') fail("an argument in braces is missing here");
    std::vector<TexNode> nodes;
    one(nodes, true);
    if (nodes.size() == 1 && nodes[0].kind == Kind::group && nodes[0].plain()) return std::vector(nodes[0].args[0]);
    return nodes;
  }

  /// Text in braces, as it is.
  std::string raw_argument() {
    skip_space();
    auto end = at_;
    const auto inside = braced(text_, end);
    if (peek() != '{' || end == at_ + 1) {
      if (peek() == '{') {
        if (text_.substr(at_).starts_with("{}")) return take(2), std::string();
        fail("a \"{\" that is not closed");
      }
      if (at_ == text_.size()) fail("an argument in braces is missing here");
      const std::string one_letter(1, peek());
      take(1);
      return one_letter;
    }
    std::string text(inside);
    take(end - at_);
    return text;
  }

  void command(std::vector<TexNode>& nodes) {
    const Place begin = place_;
    auto n = name_length(text_.substr(at_ + 1));
    if (n == 0) return sign_command(nodes, begin);
    const std::string name(text_.substr(at_ + 1, n));
    take(n + 1);
    if (peek() == '*' && (name == "operatorname" || name == "tag")) take(1);
    if (const auto macro = macros_.find(name); macro != macros_.end()) return expand(nodes, macro->second, begin, name);
    if (listed(kLooks, name)) return;
    if (name == "left") return fenced(nodes);
    if (name == "right") {
      skip_space();
      if (peek() == '.') take(1);
      return;
    }
    if (name == "quad" || name == "qquad") return add(nodes, made(Kind::sign, "quad", begin));
    if (const auto* sign = said(kSigns, name)) {
      if (sign->as == "'" && !nodes.empty()) {
        ++nodes.back().primes;
        return;
      }
      if (name == "lfloor") add(nodes, made(Kind::word, "floor", begin));
      return add(nodes, made(Kind::sign, sign->as, begin));
    }
    if (listed(kAside, name)) {
      const auto argument = raw_argument();
      const bool wide = name == "hspace" && !argument.empty() && is_digit(argument[0]) && !argument.ends_with("pt");
      if (wide) add(nodes, made(Kind::sign, "quad", begin));
      return;
    }
    if (name == "begin") return environment(nodes, begin);
    if (name == "end") throw FormulaError(begin, "\\end without its \\begin");
    if (listed(kFractions, name)) return with_arguments(nodes, "frac", 2, begin);
    if (listed(kSame, name)) {
      with_arguments(nodes, "boxed", 1, begin);
      skip_space();
      if (name.ends_with("brace") && (peek() == '_' || peek() == '^')) {
        take(1);
        argument();  // a remark
      }
      return;
    }
    if (name == "overset" || name == "stackrel" || name == "underset") return stacked(nodes, name == "underset");
    if (name == "textcolor") {
      raw_argument();
      return with_arguments(nodes, "boxed", 1, begin);
    }
    if (name == "sqrt") {
      skip_space();
      std::vector<TexNode> root;
      if (peek() == '[') {
        take(1);
        root = list("]");
        if (peek() != ']') throw FormulaError(begin, "the \"[\" of this root is not closed");
        take(1);
      }
      with_arguments(nodes, "sqrt", 1, begin);
      if (!root.empty()) nodes.back().args.push_back(std::move(root));
      return;
    }
    if (const auto* accent = said(kAccents, name)) return accented(nodes, accent->as, begin);
    if (listed(kFonts, name)) {
      auto inside = argument();
      if (inside.size() == 1 && inside[0].kind == Kind::number) inside[0].kind = Kind::word;  // \mathbb{1}
      for (auto& node : inside) add(nodes, std::move(node));
      return;
    }
    if (listed(kUpright, name)) return upright(nodes, begin);
    if (const auto* macro = usual_macro(name)) return expand(nodes, *macro, begin, name);
    if (!typed_letter_named(name).empty()) return add(nodes, made(Kind::letter, typed_letter_named(name), begin));
    add(nodes, made(Kind::word, name, begin));
  }

  /// \left( … \right): the signs themselves. \left. … \right|_{w=0}: a group, and the bar behind it.
  void fenced(std::vector<TexNode>& nodes) {
    skip_space();
    const bool open = peek() == '.';
    if (at_ == text_.size() || peek() == '}') fail("a bracket is missing behind \\left");
    const Place begin = place_;
    if (open) {
      take(1);
    } else {
      one(nodes);
    }
    auto inside = list("\\right");
    const bool closed = at_ < text_.size() && peek() == '\\';
    if (closed) {
      take(6);
      skip_space();
    }
    const auto rest = text_.substr(at_);
    const bool bar = rest.starts_with('|') || rest.starts_with("\\vert") || rest.starts_with("\\rvert");
    if (closed && open && bar) {
      auto group = made(Kind::group, "", begin);
      group.args.push_back(std::move(inside));
      add(nodes, std::move(group));
    } else {
      for (auto& node : inside) add(nodes, std::move(node));
    }
    if (!closed || at_ == text_.size()) return;
    if (peek() == '.') {
      take(1);
      const auto size = nodes.size();  // \left\{ \begin{array} … \right. are cases
      if (size > 1 && nodes[size - 1].text == "begin array" && nodes[size - 2].is("{")) {
        nodes.erase(nodes.end() - 2);
        nodes.back().text = "begin cases";
      }
      return;
    }
    if (peek() != '}') one(nodes);
  }

  /// \underset{i}{\max} is \max_i; what stands above a sign is a remark, unless it says that the sign defines.
  void stacked(std::vector<TexNode>& nodes, bool below) {
    auto aside = argument();
    auto what = argument();
    if (below) {
      if (what.size() == 1 && what[0].sub.empty()) what[0].sub = std::move(aside);
    } else if (what.size() == 1 && what[0].is("=") && aside.size() == 1) {
      const auto& over = aside[0].text;
      if (over == "def" || over == "triangle" || over == "Delta") what[0].text = ":=";
    }
    for (auto& node : what) add(nodes, std::move(node));
  }

  void with_arguments(std::vector<TexNode>& nodes, std::string_view name, int arguments, Place begin) {
    auto node = made(Kind::command, name, begin);
    for (int k = 0; k < arguments; ++k) node.args.push_back(argument());
    add(nodes, std::move(node));
  }

  void sign_command(std::vector<TexNode>& nodes, Place begin) {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\0') fail("a formula ends with \"\\\"");
    take(2);
    if (c == '\\') {
      if (peek() == '[') take(std::min(text_.find(']', at_), text_.size() - 1) - at_ + 1);  // \\[2pt]
      return add(nodes, made(Kind::sign, "\\", begin));
    }
    if (c == '{' || c == '}') return add(nodes, made(Kind::sign, std::string_view(&c, 1), begin));
    if (c == '|') return add(nodes, made(Kind::sign, "||", begin));
    if (c == '_' || c == '%' || c == '&' || c == '#' || c == '$')
      throw FormulaError(begin, str("\"\\", std::string(1, c), "\" is not understood in a formula"));
  }

  void accented(std::vector<TexNode>& nodes, std::string_view accent, Place begin) {
    auto inside = argument();
    if (inside.size() == 1 && inside[0].kind == Kind::number) inside[0].kind = Kind::word;  // \vec{0}
    if (inside.size() != 1 || !inside[0].is_name())
      throw FormulaError(begin, str("\\", accent, " of more than a letter; give it a name of its own"));
    inside[0].text += str("_", accent);
    add(nodes, std::move(inside[0]));
  }

  /// \text{…}: a word, in which spaces and other signs are left out; between dollars it is a formula again.
  void upright(std::vector<TexNode>& nodes, Place begin) {
    const auto text = raw_argument();
    std::size_t from = 0;
    for (bool formula = false; from <= text.size(); formula = !formula) {
      const auto end = std::min(text.find('$', from), text.size());
      const auto piece = std::string_view(text).substr(from, end - from);
      from = end + 1;
      if (!formula) {
        word(nodes, piece, begin);
        continue;
      }
      for (auto& node : parsed(piece, begin)) add(nodes, std::move(node));
    }
  }

  void word(std::vector<TexNode>& nodes, std::string_view text, Place begin) const {
    std::string letters;
    for (std::size_t k = 0; k < text.size(); ++k) {
      const char c = text[k];
      if (c == '\\') {  // \mathrm within \operatorname
        const auto name = text.substr(k + 1, name_length(text.substr(k + 1)));
        if (listed(kUpright, name) || listed(kFonts, name) || listed(kLooks, name)) k += name.size();
        continue;
      }
      if (is_letter(c) || is_digit(c)) letters += c;
      if ((c == ' ' || c == '-' || c == '_') && !letters.empty() && letters.back() != '_') letters += '_';
    }
    while (letters.ends_with('_')) letters.pop_back();
    if (letters.empty()) return;
    const bool digits = letters.find_first_not_of("0123456789") == std::string::npos;
    add(nodes, made(digits ? Kind::number : letters.size() == 1 ? Kind::letter : Kind::word, letters, begin));
  }

  /// Text that is not the document's own, all of it at one place.
  std::vector<TexNode> parsed(std::string_view text, Place begin) const {
    TexParser inner(text, begin, macros_);
    inner.depth = depth + 1;
    inner.count = count;
    inner.within_macro = true;
    return inner.run();
  }

  void environment(std::vector<TexNode>& nodes, Place begin) {
    auto name = raw_argument();
    if (name.ends_with('*')) name.pop_back();
    auto node = made(Kind::command, "begin " + name, begin);
    if (name == "array" || name == "alignedat" || name == "alignat") raw_argument();
    node.args.push_back(list("\\end"));
    if (at_ == text_.size() || peek() == '}') throw FormulaError(begin, str("\\begin{", name, "} without its \\end"));
    take(4);
    auto end = raw_argument();
    if (end.ends_with('*')) end.pop_back();
    if (end != name) throw FormulaError(begin, str("\\begin{", name, "} is closed by \\end{", end, "}"));
    static constexpr std::array<std::string_view, 6> kLines{"aligned",   "split",   "gathered",
                                                            "alignedat", "alignat", "multlined"};
    if (!listed(kLines, name)) return add(nodes, std::move(node));
    for (auto& each : node.args[0]) add(nodes, std::move(each));  // lines of the formula itself
  }

  void expand(std::vector<TexNode>& nodes, const TexMacro& macro, Place begin, const std::string& name) {
    std::vector<std::string> arguments;
    if (macro.optional) {
      arguments.push_back(macro.first);
      skip_space();
      if (peek() == '[') {
        const auto end = std::min(text_.find(']', at_), text_.size() - 1);
        arguments.back() = text_.substr(at_ + 1, end - at_ - 1);
        take(end - at_ + 1);
      }
    }
    if (macro.parameters > 0 && peek() == '*') take(1);  // \norm*{…}
    while (static_cast<int>(arguments.size()) < macro.parameters) arguments.push_back(raw_argument());
    std::string body;
    for (std::size_t k = 0; k < macro.body.size(); ++k) {
      const char c = macro.body[k];
      const bool parameter = c == '#' && k + 1 < macro.body.size() && is_digit(macro.body[k + 1]);
      const auto which = parameter ? static_cast<std::size_t>(macro.body[k + 1] - '1') : 0;
      if (!parameter || which >= arguments.size()) {
        body += c;
        continue;
      }
      body += arguments[which];
      ++k;
    }
    if (depth >= kDeepestGroup || body.size() > 20'000)
      throw FormulaError(begin, str("\\", name, " becomes too long, or goes on within itself"));
    for (auto& each : parsed(body, begin)) add(nodes, std::move(each));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
  const TexMacros& macros_;
  std::size_t own_count_ = 0;
};

}  // namespace

std::string shown(const TexNode& node) { return in_quotes(node.text); }

std::vector<TexNode> read_tex(std::string_view text, Place place, const TexMacros& macros) {
  return TexParser(text, place, macros).run();
}

}  // namespace chalk::math
