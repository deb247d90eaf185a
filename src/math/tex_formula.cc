// Sums, products, brackets, fractions and derivatives.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

constexpr int kDeepest = 120;  // the parser of these words goes as deep

/// Counts what stands within each other.
class Deeper {
 public:
  Deeper(int& depth, Place place) : depth_(depth) {
    if (++depth_ > kDeepest)
      throw FormulaError(place, str("more than ", kDeepest, " groups within groups; name a part of it"));
  }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  ~Deeper() { --depth_; }

 private:
  int& depth_;
};

std::string_view closing(const TexNode& node) { return node.is("(") ? ")" : node.is("[") ? "]" : "}"; }

/// The sign or name, for messages.
std::string shown(const TexNode& node) { return in_quotes(node.text); }

bool is_dots(const TexNode& node) { return node.kind == Node::word && node.text.ends_with("dots"); }

}  // namespace

bool is_relation(const TexNode& node) {
  return node.is("=") || node.is(":=") || node.is("~=") || node.is("<") || node.is(">") || node.is("<=") ||
         node.is(">=") || node.is("!=");
}

void TexTranslator::all(const TexNodes& nodes) {
  begin(nodes);
  sum();
  if (at_ < nodes_->size()) unexpected();
}

void TexTranslator::relations(const TexNodes& nodes) {
  begin(nodes);
  if (!nodes.empty() && !is_relation(nodes[0])) sum();
  while (at_ < nodes.size()) {
    const auto& sign = nodes[at_];
    if (!sign.is("=") && !sign.is("~=")) unexpected();
    emit(sign.text, sign.place);
    ++at_;
    if (at_ == nodes.size()) throw FormulaError(sign.place, "nothing follows this sign");
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
  factor();
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
      factor();
    } else if (node.is("*") || node.is("/")) {
      // A \cdot of matrices is their product.
      divided = node.is("/");
      emit(node.text, node.place, node.is("*"));
      ++at_;
      factor();
      ++factors;
    } else {
      if (divided)
        throw FormulaError(node.place,
                           "is this below the \"/\" or behind the fraction? write \\frac{…}{…}, or brackets");
      emit("*", node.place, true);
      factor();
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
  if (node->is("-")) {
    emit("-", node->place);
    ++at_;
    return factor();
  }
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
  const auto supers = naming_.supers(node);
  if (!node.sub.empty())
    throw FormulaError(node.sub[0].place, "an index of something that is not a name; name it first");
  const auto run = out_.size();
  base();
  const bool label = !supers.label.empty() && supers.power.empty();
  if (label)
    throw FormulaError(node.sup[0].place, str("the superscript ", in_quotes(supers.label),
                                              " of something that is not a name is not understood"));
  if (supers.primes > 0) throw FormulaError(node.place, "a ' must follow a name");
  raised(run, supers);
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
    const auto relation = relation_in(inside);
    if (!relation) return in_brackets(inside, open.place);
    emit("[", open.place);
    within(out_).all({inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(*relation)});
    emit(inside[*relation].text, inside[*relation].place);
    within(out_).all({inside.begin() + static_cast<std::ptrdiff_t>(*relation) + 1, inside.end()});
    emit("]", close.place);
  });
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
                                                              : "\\{",
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
  if (norm && close.sub.size() == 1 && close.sub[0].text == "2") close.sub.clear();  // the Euclidean norm
  powered(close, [&] {
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

void TexTranslator::fraction(const TexNode& node) {
  ++at_;
  auto above = TexNodes(node.args[0].begin() + 1, node.args[0].end());
  std::vector<TexNodes> by;  // the names below, with their arguments
  for (const auto& each : node.args[1]) {
    if (is_d(each)) {
      by.emplace_back();
    } else {
      by.back().push_back(each);
    }
  }
  for (const auto& each : by) {
    if (each.empty() || !each[0].is_name())
      throw FormulaError(
          node.args[1][0].place,
          "below a derivative stand values with their indices, each behind a \\partial; name the rest first");
  }
  bool lettered = false;
  const auto& top = node.args[0][0];
  const int order = top.sup.empty() ? 1 : naming_.number(top.sup, lettered).value_or(0);
  if (order < 1 || order > 4) throw FormulaError(top.place, "the order of this derivative is not understood");
  if (order > 1 && by.size() == 1) {  // \partial w^2
    by[0].back().sup.clear();
    by.resize(static_cast<std::size_t>(order), TexNodes(by[0]));
  }
  if (static_cast<int>(by.size()) != order)
    throw FormulaError(node.place, str("a derivative of order ", order, " by ", by.size(), " values"));
  if (!node.sub.empty()) {
    if (by.size() > 1 || by[0].size() > 1 || !by[0][0].sub.empty())
      throw FormulaError(node.sub[0].place, "an index behind a derivative that has one already");
    by[0][0].sub = node.sub;
  }
  const auto run = out_.size();
  if (above.empty()) {  // an operator: of the next factor
    std::vector<Token> what;
    auto inner = within(what);
    inner.at_ = at_;
    inner.factor();
    at_ = inner.at_;
    differentiate(what, by, node.place);
  } else {
    std::vector<Token> what;
    within(what).all(above);
    differentiate(what, by, node.place);
  }
  const auto supers = naming_.supers(node);
  raised(run, supers);
}

void TexTranslator::differentiate(std::vector<Token> what, const std::vector<TexNodes>& by, Place place) {
  // From the inside out: each but the last stands in brackets.
  for (std::size_t k = by.size(); k-- > 0;) {
    std::vector<Token> below;
    within(below).all(by[k]);
    if (!is_plain_name(below) || symbols_.find_value(below[0].text, below[0].primes) < 0)
      throw FormulaError(by[k][0].place,
                         str("a derivative by ", in_quotes(naming_.canonical(by[k])), ", which is not a value"));
    std::vector<Token> whole;
    std::swap(whole, out_);
    if (is_plain_name(what) && symbols_.find_value(what[0].text, what[0].primes) >= 0) {
      what[0].text.insert(0, "d");
      out_.insert(out_.end(), what.begin(), what.end());
    } else {
      emit_name("d", place);
      emit("(", place);
      out_.insert(out_.end(), what.begin(), what.end());
      emit(")", place);
    }
    emit("/", place);
    below[0].text.insert(0, "d");
    out_.insert(out_.end(), below.begin(), below.end());
    std::swap(whole, out_);
    what = std::move(whole);
  }
  out_.insert(out_.end(), what.begin(), what.end());
}

void TexTranslator::partial() {
  const TexNode node = *peek();
  ++at_;
  if (!node.sub.empty()) return by_subscript(node, node.sub);
  std::vector<Token> what;
  auto inner = within(what);
  inner.at_ = at_;
  inner.factor();
  at_ = inner.at_;
  if (!at("/") || !peek(1) || !peek(1)->is_word("partial") || !peek(2) || !peek(2)->is_name())
    throw FormulaError(node.place,
                       "\\partial a / \\partial b, \\frac{\\partial a}{\\partial b} or \\partial_b a expected");
  const TexNode below = *peek(2);
  at_ += 3;
  differentiate(std::move(what), {{below}}, node.place);
}

void TexTranslator::nabla() {
  const TexNode node = *peek();
  ++at_;
  if (node.sub.empty()) throw FormulaError(node.place, "by what? write \\nabla_W");
  by_subscript(node, node.sub);
}

void TexTranslator::by_subscript(const TexNode& node, const TexNodes& by) {
  if (by.size() != 1 || !by[0].is_name())
    throw FormulaError(node.sub[0].place, "one name with its indices expected here");
  std::vector<Token> what;
  auto inner = within(what);
  inner.at_ = at_;
  inner.factor();
  at_ = inner.at_;
  differentiate(std::move(what), {by}, node.place);
}

bool TexTranslator::is_plain_name(const std::vector<Token>& words) {
  if (words.empty() || words[0].kind != Token::Kind::name) return false;
  return words.size() == 1 || (words[1].text == "[" && words.back().text == "]" &&
                               std::ranges::count_if(words, [](const auto& word) { return word.text == "["; }) == 1);
}

}  // namespace chalk::math
