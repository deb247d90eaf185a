// Sums, products, brackets and fractions.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

constexpr int kDeepestFormula = 120;  // the parser of these words goes as deep

/// Counts what stands within each other.
class Deeper {
 public:
  Deeper(int& depth, Place place) : depth_(depth) {
    if (++depth_ > kDeepestFormula)
      throw FormulaError(place, str("more than ", kDeepestFormula, " groups within groups; name a part of it"));
  }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  ~Deeper() { --depth_; }

 private:
  int& depth_;
};

std::string_view closing(const TexNode& node) {
  return node.is("(") ? ")" : node.is("[") ? "]" : node.is("{") ? "}" : "rangle";
}

/// The sign or name, for messages.
}  // namespace

bool is_dots(const TexNode& node) { return node.kind == Node::word && node.text.ends_with("dots"); }

bool is_relation(const TexNode& node) {
  return node.is("=") || node.is(":=") || node.is("~=") || node.is("<") || node.is(">") || node.is("<=") ||
         node.is(">=") || node.is("!=");
}

void TexTranslator::begin(const TexNodes& nodes) {
  nodes_ = &nodes;
  at_ = 0;
  if (!std::ranges::any_of(nodes, is_dots)) return;
  written_out_ = without_dots(nodes, naming_);
  nodes_ = &written_out_;
}

void TexTranslator::all(const TexNodes& nodes) {
  begin(nodes);
  sum();
  if (at_ < nodes_->size()) unexpected();
}

void TexTranslator::relations(const TexNodes& nodes) {
  begin(nodes);
  if (peek() && !is_relation(*peek())) sum();
  while (peek()) {
    const auto& sign = *peek();
    if (!sign.is("=") && !sign.is("~=")) unexpected();
    emit(sign.text, sign.place);
    ++at_;
    if (!peek()) throw FormulaError(sign.place, "nothing follows this sign");
    sum();
  }
}

void TexTranslator::emit(std::string_view symbol, Place place, bool implied) {
  Token token;
  token.kind = Token::Kind::symbol;
  token.text = symbol;
  token.place = place;
  token.implied = implied;
  out_.push_back(std::move(token));
}

void TexTranslator::emit_name(std::string_view name, Place place, int primes) {
  Token token;
  token.kind = Token::Kind::name;
  token.text = name;
  token.primes = primes;
  token.place = place;
  out_.push_back(std::move(token));
}

void TexTranslator::emit_number(double value, Place place) {
  Token token;
  token.kind = Token::Kind::number;
  token.text = str(value);
  token.number = value;
  token.place = place;
  out_.push_back(std::move(token));
}

void TexTranslator::unexpected() const {
  const auto& node = (*nodes_)[at_];
  if (is_dots(node)) throw FormulaError(node.place, "dots leave out what they mean; write it out");
  if (node.kind == Node::command && node.text.starts_with("begin "))
    throw FormulaError(node.place, str("a ", node.text.substr(6),
                                       " that is written out is not understood; write its elements as an equation"));
  if (node.is("&") || node.is("\\")) throw FormulaError(node.place, "a row within a formula is not understood");
  throw FormulaError(node.place, str(shown(node), " is not understood here"));
}

TexTranslator TexTranslator::within(std::vector<Token>& out) const {
  TexTranslator inner(symbols_, rules_, naming_, out, depth_ + 1);
  inner.parameter = parameter;
  inner.nodes_ = nodes_;
  return inner;
}

void TexTranslator::in_brackets(const TexNodes& nodes, Place place) {
  emit("(", place);
  within(out_).all(nodes);
  emit(")", place);
}

void TexTranslator::sum() {
  if (at("-") || at("+")) {
    if (at("-")) emit("-", peek()->place);
    ++at_;
  }
  term();
  while (at("+") || at("-")) {
    emit(peek()->text, peek()->place);
    ++at_;
    term();
  }
}

bool TexTranslator::ends_term() const {
  const auto* node = peek();
  return !node || node->is("+") || node->is("-") || closes(*node) || is_relation(*node) || node->is(",");
}

void TexTranslator::term() {
  auto run = out_.size();
  std::size_t factors = 1;
  bool elementwise = false, divided = false;
  const auto finish = [&] {
    if (elementwise && factors > 1) {
      Token open;
      open.kind = Token::Kind::symbol;
      open.text = "(";
      open.place = out_[run].place;
      out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(run), open);
      emit(")", out_.back().place);
    }
  };
  evaluated(/*first=*/true);
  while (!ends_term()) {
    const auto& node = *peek();
    if (node.is(".*") || node.is("./")) {
      elementwise = true;
      finish();
      emit(node.text, node.place);
      ++at_;
      run = out_.size();
      factors = 1;
      divided = false;
      evaluated(/*first=*/false);
    } else if (node.is("*") || node.is("/")) {
      // A \cdot of matrices is their product.
      divided = node.is("/");
      emit(node.text, node.place, node.is("*"));
      ++at_;
      evaluated(/*first=*/false);
      ++factors;
    } else {
      if (divided)
        throw FormulaError(node.place,
                           "is this below the \"/\" or behind the fraction? write \\frac{…}{…}, or brackets");
      emit("*", node.place, true);
      evaluated(/*first=*/false);
      ++factors;
    }
  }
  finish();
}

void TexTranslator::factor() {
  const Deeper deeper(depth_, peek() ? peek()->place : Place{});
  const auto* node = peek();
  if (!node)
    throw FormulaError(nodes_->empty() ? out_.empty() ? Place{} : out_.back().place : nodes_->back().place,
                       "a formula ends where a value is expected");
  if (const auto* pattern = matching_pattern(*nodes_, at_)) return by_pattern(*pattern);
  if (raised_pattern()) return;
  if (node->is("-")) {
    emit("-", node->place);
    ++at_;
    return factor();
  }
  if (node->is_word("1")) return indicator();
  if (node->kind == Node::number) return powered(*node, [&] { emit_number(std::stod(node->text), node->place); });
  if (opens(*node)) return bracket();
  if (node->is("|") || node->is("||")) return bars();
  if (node->kind == Node::group) return powered(*node, [&] { in_brackets(node->args[0], node->place); });
  if (node->kind == Node::command) return command();
  if (node->is_word("partial")) return partial();
  if (node->is_word("nabla")) return nabla();
  if (node->is_word("arg") && peek(1) && peek(1)->is_word("max")) {
    ++at_;
    return reduction("argmax");
  }
  if (node->is_name() && !is_dots(*node)) return named();
  unexpected();
}

void TexTranslator::powered(const TexNode& node, const std::function<void()>& base) {
  ++at_;
  auto supers = naming_.supers(node);
  const auto run = out_.size();
  base();
  if (!node.sub.empty()) {
    if (out_[run].text != "(" || out_.back().text != ")")
      throw FormulaError(node.sub[0].place, "an index of something that is not a name; name it first");
    if (std::exchange(supers.transposed, false)) emit("^T", out_.back().place);
    element(node);
  }
  const bool label = !supers.label.empty() && supers.power.empty();
  if (label)
    throw FormulaError(node.sup[0].place, str("the superscript ", in_quotes(supers.label),
                                              " of something that is not a name is not understood"));
  if (supers.primes > 0) throw FormulaError(node.place, "a ' must follow a name");
  raised(run, supers);
}

void TexTranslator::element(const TexNode& node) {
  emit("[", node.place);
  const auto all = TexNaming::indices(node.sub);
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (k > 0) emit(",", node.place);
    index(all[k]);
  }
  emit("]", node.place);
}

void TexTranslator::raised(std::size_t run, const TexSupers& supers) {
  if (supers.transposed) emit("^T", out_.back().place);
  if (supers.power.empty()) return;
  const auto place = out_.back().place;
  if (out_.size() - run > 1 && !atom(run)) {
    Token open;
    open.kind = Token::Kind::symbol;
    open.text = "(";
    open.place = out_[run].place;
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(run), open);
    emit(")", place);
  }
  emit("^", place);
  in_brackets(supers.power, place);
}

bool TexTranslator::atom(std::size_t run) const {
  const bool bracket = out_[run].text == "(" && out_[run].kind == Token::Kind::symbol;
  const bool indexed = out_[run].kind == Token::Kind::name && out_[run + 1].text == "[";
  if (!bracket && !indexed) return false;
  int open = 0;
  for (auto k = run + (indexed ? 1 : 0); k < out_.size(); ++k) {
    if (out_[k].kind != Token::Kind::symbol) continue;
    if (out_[k].text == "(" || out_[k].text == "[") ++open;
    if ((out_[k].text == ")" || out_[k].text == "]") && --open == 0) return k + 1 == out_.size();
  }
  return false;
}

void TexTranslator::bracket() {
  const auto& open = *peek();
  const auto end = close_of(at_);
  const TexNodes inside = slice(at_ + 1, end);
  const auto& close = (*nodes_)[end];
  at_ = end;
  powered(close, [&] {
    if (open.is("langle")) return inner_product(inside, open.place);
    if (!relation_in(inside)) return in_brackets(inside, open.place);
    condition(inside, open.place);
  });
}

void TexTranslator::inner_product(const TexNodes& nodes, Place place) {
  const auto comma = std::ranges::find_if(nodes, [](const auto& node) { return node.is(","); });
  if (comma == nodes.end()) return in_brackets(nodes, place);
  emit_name("sum", place);
  emit("(", place);
  in_brackets({nodes.begin(), comma}, place);
  emit(".*", comma->place);
  in_brackets({comma + 1, nodes.end()}, place);
  emit(")", place);
}

void TexTranslator::condition(const TexNodes& nodes, Place place) {
  std::vector<std::size_t> signs;  // a < b < c are two
  int open = 0;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (opens(nodes[k])) ++open;
    if (closes(nodes[k])) --open;
    if (open == 0 && is_relation(nodes[k])) signs.push_back(k);
  }
  if (signs.empty()) throw FormulaError(place, "a condition expected here, such as x > 0");
  if (signs.size() > 1) emit("(", place);
  for (std::size_t k = 0; k < signs.size(); ++k) {
    const auto part = [&](std::size_t begin, std::size_t end) {
      within(out_).all(
          {nodes.begin() + static_cast<std::ptrdiff_t>(begin), nodes.begin() + static_cast<std::ptrdiff_t>(end)});
    };
    if (k > 0) emit("*", place);
    emit("[", place);
    part(k == 0 ? 0 : signs[k - 1] + 1, signs[k]);
    emit(nodes[signs[k]].text, nodes[signs[k]].place);
    part(signs[k] + 1, k + 1 < signs.size() ? signs[k + 1] : nodes.size());
    emit("]", place);
  }
  if (signs.size() > 1) emit(")", place);
}

void TexTranslator::indicator() {
  const TexNode node = *peek();
  const auto* next = peek(1);
  if (node.sub.empty() && next && opens(*next) && relation_in(slice(at_ + 2, close_of(at_ + 1)))) {
    ++at_;
    return bracket();
  }
  auto below = node.sub;
  if (below.size() > 2 && opens(below.front()) && closes(below.back())) below = {below.begin() + 1, below.end() - 1};
  if (!relation_in(below))
    throw FormulaError(
        node.place, "of which condition? write \\mathbb{1}[a = b]; or say how many ones: read \\mathbf{1} as ones(4)");
  ++at_;
  condition(below, node.place);
}

void TexTranslator::cases(const TexNode& node) {
  std::vector<Token> above;  // none of the conditions above holds
  const auto last = node.args[0].end();
  bool first = true;
  emit("(", node.place);
  for (auto row = node.args[0].begin(); row != last;) {
    const auto end = std::find_if(row, last, [](const auto& each) { return each.is("\\"); });
    auto cut = std::find_if(row, end, [](const auto& each) { return each.is("&") || each.is("quad"); });
    if (cut == end) cut = std::find_if(row, end, [](const auto& each) { return begins_condition(each); });
    TexNodes value(row, cut), when(cut, end);
    row = end == last ? end : end + 1;
    const auto aside = [](const TexNode& each) {
      return each.is("&") || each.is("quad") || each.is(",") || each.is(".") || each.is(";") || begins_condition(each);
    };
    while (!value.empty() && aside(value.back())) value.pop_back();
    while (!when.empty() && aside(when.front())) when.erase(when.begin());
    while (!when.empty() && aside(when.back())) when.pop_back();
    if (value.empty() && when.empty()) continue;
    if (value.empty()) throw FormulaError(when[0].place, "a case without its value");
    const bool otherwise = when.empty() || when[0].is_word("otherwise") || when[0].is_word("else");
    if (otherwise && first) throw FormulaError(value[0].place, "a case without its condition");
    if (!std::exchange(first, false)) emit("+", value[0].place);
    out_.insert(out_.end(), above.begin(), above.end());
    if (!otherwise) {
      std::vector<Token> holds;
      within(holds).condition(when, when[0].place);
      out_.insert(out_.end(), holds.begin(), holds.end());
      emit("*", value[0].place);
      auto more = within(above);
      more.emit("(", when[0].place);
      more.emit_number(1, when[0].place);
      more.emit("-", when[0].place);
      above.insert(above.end(), holds.begin(), holds.end());
      more.emit(")", when[0].place);
      more.emit("*", when[0].place);
    }
    in_brackets(value, value[0].place);
  }
  if (first) throw FormulaError(node.place, "cases without any");
  emit(")", node.place);
}

std::optional<std::size_t> TexTranslator::relation_in(const TexNodes& nodes) const {
  int open = 0;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (opens(nodes[k])) ++open;
    if (closes(nodes[k])) --open;
    if (open == 0 && is_relation(nodes[k])) return k;
  }
  return std::nullopt;
}

std::size_t TexTranslator::close_of(std::size_t begin) const {
  std::vector<std::string_view> open;
  for (auto k = begin; k < nodes_->size(); ++k) {
    const auto& node = (*nodes_)[k];
    if (opens(node)) open.push_back(closing(node));
    if (!closes(node)) continue;
    if (node.text != open.back())
      throw FormulaError(node.place, str("\"", node.text, "\" closes a \"",
                                         open.back() == ")"   ? "("
                                         : open.back() == "]" ? "["
                                         : open.back() == "}" ? "\\{"
                                                              : "\\langle",
                                         "\""));
    open.pop_back();
    if (open.empty()) return k;
  }
  throw FormulaError((*nodes_)[begin].place, str("this \"", (*nodes_)[begin].text, "\" is not closed"));
}

void TexTranslator::bars() {
  const auto& open = *peek();
  const bool norm = open.is("||") || (peek(1) && peek(1)->is("|"));
  const std::size_t signs = open.is("|") && norm ? 2 : 1;
  auto end = at_ + signs;
  int depth = 0;
  while (end < nodes_->size()) {
    const auto& node = (*nodes_)[end];
    if (opens(node)) ++depth;
    if (closes(node)) --depth;
    if (depth == 0 && node.is(open.text)) break;
    ++end;
  }
  if (end + signs > nodes_->size()) throw FormulaError(open.place, str("this \"", open.text, "\" is not closed"));
  const auto inside = slice(at_ + signs, end);
  at_ = end + signs - 1;
  TexNode close = *peek();
  const bool ones = norm && close.sub.size() == 1 && close.sub[0].text == "1";  // the sum of magnitudes
  const bool usual = norm && close.sub.size() == 1 && (close.sub[0].text == "2" || close.sub[0].text == "F");
  if (ones || usual) close.sub.clear();
  powered(close, [&] {
    if (ones) {
      emit_name("sum", open.place);
      emit("(", open.place);
      emit_name("abs", open.place);
      in_brackets(inside, open.place);
      return emit(")", close.place);
    }
    if (!norm) emit_name("abs", open.place);
    emit(norm ? "||" : "(", open.place);
    within(out_).all(inside);
    emit(norm ? "||" : ")", close.place);
  });
}

const TexRules::Pattern* TexTranslator::matching_pattern(const TexNodes& nodes, std::size_t from) const {
  if (rules_.patterns.empty()) return nullptr;
  const auto first = naming_.canonical(nodes[from]);
  for (auto pattern = rules_.patterns.rbegin(); pattern != rules_.patterns.rend(); ++pattern) {
    if (pattern->nodes.size() > nodes.size() - from) continue;
    bool same = pattern->nodes[0] == first;
    for (std::size_t k = 1; same && k < pattern->nodes.size(); ++k)
      same = pattern->nodes[k] == naming_.canonical(nodes[from + k]);
    if (same) return &*pattern;
  }
  return nullptr;
}

void TexTranslator::by_pattern(const TexRules::Pattern& pattern) {
  const Place place = peek()->place;
  const auto& words = pattern.becomes;
  const bool name = is_plain_name(words);
  if (!name) emit("(", place);
  append(words, place);
  if (!name) emit(")", place);
  at_ += pattern.nodes.size();
}

bool TexTranslator::raised_pattern() {
  const TexNode& node = *peek();
  const auto supers = naming_.supers(node);
  const bool power = !supers.power.empty() && node.is_name();
  if ((!power && !supers.transposed) || rules_.patterns.empty()) return false;
  TexNode bare = node;
  bare.sup.clear();
  const TexNodes alone{bare};
  const auto* pattern = matching_pattern(alone, 0);
  if (!pattern) return false;
  const auto run = out_.size();
  by_pattern(*pattern);
  raised(run, supers);
  return true;
}

void TexTranslator::append(const std::vector<Token>& words, Place place) {
  for (auto word : words) {
    word.place = place;
    out_.push_back(std::move(word));
  }
}

void TexTranslator::command() {
  const auto& node = *peek();
  if (node.text == "boxed") return powered(node, [&] { in_brackets(node.args[0], node.place); });
  if (node.text == "sqrt") {
    return powered(node, [&] {
      if (node.args.size() == 1) {
        emit_name("sqrt", node.place);
        return in_brackets(node.args[0], node.place);
      }
      in_brackets(node.args[0], node.place);
      emit("^", node.place);
      emit("(", node.place);
      emit_number(1, node.place);
      emit("/", node.place);
      in_brackets(node.args[1], node.place);
      emit(")", node.place);
    });
  }
  if (node.text == "begin cases" || node.text == "begin dcases") return powered(node, [&] { cases(node); });
  if (node.text != "frac") unexpected();
  const auto &above = node.args[0], &below = node.args[1];
  const bool derivative = !above.empty() && !below.empty() && is_d(above[0]) && is_d(below[0]) && below.size() > 1;
  if (derivative) return fraction(node);
  powered(node, [&] {
    emit("(", node.place);
    in_brackets(above, node.place);
    emit("/", node.place);
    in_brackets(below, node.place);
    emit(")", node.place);
  });
}

bool TexTranslator::is_plain_name(const std::vector<Token>& words) {
  if (words.empty() || words[0].kind != Token::Kind::name) return false;
  return words.size() == 1 || (words[1].text == "[" && words.back().text == "]" &&
                               std::ranges::count_if(words, [](const auto& word) { return word.text == "["; }) == 1);
}

}  // namespace chalk::math
