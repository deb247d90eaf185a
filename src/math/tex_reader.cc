#include "src/math/tex_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/parser.h"
#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

constexpr std::array<std::string_view, 9> kConditions{"if",        "for", "where", "when", "with",
                                                      "otherwise", "and", "since", "else"};

bool is_condition_word(std::string_view word) {
  return std::ranges::find(kConditions, word.substr(0, word.find('_'))) != kConditions.end();
}

/// What follows says when an equation holds, or of what its values are.
bool is_condition(const TexNodes& nodes) {
  if (nodes.empty()) return false;
  if (nodes[0].is_word("forall") || begins_condition(nodes[0])) return true;
  if (std::ranges::any_of(nodes, [](const auto& node) { return node.is_word("in"); }))  // W \in \mathbb{R}^n
    return std::ranges::none_of(nodes, is_relation);
  std::string word;
  for (const auto& node : nodes) {
    if (node.kind != Node::letter || node.text.size() > 1) break;
    word += node.text;
  }
  return is_condition_word(word) || (word.starts_with("for") && nodes.size() > 3);
}

/// N \times K behind an arrow.
bool is_size(const TexNodes& nodes) {
  return nodes.size() > 2 &&
         std::ranges::all_of(nodes, [](const auto& node) { return node.is_name() || node.is("*"); });
}

/// i \neq j, with or without brackets or "if" around it: what an equation holds for. Nothing if that is not clear.
TexNodes restriction_in(TexNodes nodes) {
  const bool said = !nodes.empty() && (nodes[0].is_word("if") || nodes[0].is_word("when") || nodes[0].is_word("for"));
  if (said) nodes.erase(nodes.begin());
  if (nodes.size() > 2 && nodes.front().is("(") && nodes.back().is(")") && nodes.back().plain())
    nodes = {nodes.begin() + 1, nodes.end() - 1};
  const auto sign = std::ranges::find_if(nodes, is_relation);
  const auto plain = [](const TexNode& node) { return node.kind == Node::letter || node.kind == Node::number; };
  if (sign == nodes.end() || nodes.size() != 3 || !plain(nodes[0]) || !plain(nodes[2])) return {};
  const bool clear = sign->is("!=") || sign->is("<") || sign->is(">") || sign->is("<=") || sign->is(">=");
  const bool same = said && sign->is("=") && nodes[0].kind == Node::letter && nodes[2].kind == Node::letter;
  return clear || same ? nodes : TexNodes{};
}

}  // namespace

bool begins_condition(const TexNode& node) { return node.kind == Node::word && is_condition_word(node.text); }

TexParts parts_of(const TexNodes& line) {
  TexParts found;
  TexNodes part;
  int open = 0;
  const auto finish = [&] {
    while (!part.empty() && part.back().is(".") && part.back().plain()) part.pop_back();
    if (!part.empty()) found.parts.push_back(std::move(part));
    part.clear();
  };
  for (const auto& node : line) {
    if (opens(node)) ++open;
    if (closes(node)) --open;
    const bool cut = open <= 0 && (node.is("quad") || node.is(",") || node.is(";") || node.is("=>"));
    const bool said = open <= 0 && !part.empty() && begins_condition(node);
    if (cut || said) finish();
    if (!cut && !node.is("quad")) part.push_back(node);
  }
  finish();
  for (std::size_t k = 1; k < found.parts.size(); ++k) {
    const auto& nodes = found.parts[k];
    auto restriction = restriction_in(nodes);
    if (restriction.empty() && !is_condition(nodes) && !is_size(nodes)) continue;
    if (restriction.empty() || k + 1 < found.parts.size() || is_relation(found.parts[k - 1][0])) {
      found.remark = is_size(nodes) && !is_condition(nodes) ? "the size behind it is not read"
                     : nodes[0].kind == Node::letter        ? "the condition behind it is not read"
                                                            : "what follows \"" + nodes[0].text + "\" is not read";
    } else {
      found.restriction = std::move(restriction);
    }
    found.parts.resize(k);
  }
  return found;
}

namespace {

/// The statement where that holds: both sides are 0 elsewhere.
TexNodes restricted(const TexNodes& statement, const TexNodes& restriction) {
  if (restriction.empty()) return statement;
  TexNodes all, member;
  int open = 0;
  const auto sign = [&](std::string_view text, TexNode::Kind kind = Node::sign) {
    TexNode node;
    node.kind = kind;
    node.text = text;
    node.place = restriction[0].place;
    return node;
  };
  const auto finish = [&] {
    if (member.empty()) return;
    all.push_back(sign("["));
    all.insert(all.end(), restriction.begin(), restriction.end());
    all.push_back(sign("]"));
    all.push_back(sign("", Node::group));
    all.back().args.push_back(std::move(member));
    member.clear();
  };
  for (const auto& node : statement) {
    if (opens(node)) ++open;
    if (closes(node)) --open;
    const bool between = open == 0 && (node.is("=") || node.is("~="));
    if (between) finish();
    (between ? all : member).push_back(node);
  }
  finish();
  return all;
}

}  // namespace

std::pair<std::string, std::vector<int>> layers_in(const TexNodes& nodes, const TexRules& rules) {
  for (const auto& [letter, values] : rules.layers) {
    if (values.size() > 1 && mentions(nodes, letter)) return {letter, values};
  }
  return {};
}

void TexRules::add(const Statement& rule, const TexMacros& macros) {
  const auto& text = rule.text;
  const auto word = text.substr(0, text.find_first_of(" \t"));
  const auto rest_at = std::min(text.find_first_not_of(" \t", word.size()), text.size());
  const auto rest = text.substr(rest_at);
  const auto column = rule.place.column + static_cast<int>(rest_at);
  if (word == "read") {
    const auto as = rest.rfind(" as ");
    if (as == std::string::npos) throw FormulaError(rule.place, "a reading is written: read W^{(1)} as W1");
    const auto nodes = read_tex(std::string_view(rest).substr(0, as), {rule.place.line, column, 1}, macros);
    auto words = lex(std::string_view(rest).substr(as + 4), rule.place.line, column + static_cast<int>(as) + 4);
    words.pop_back();
    if (nodes.empty() || words.empty()) throw FormulaError(rule.place, "a reading is written: read W^{(1)} as W1");
    const TexNaming naming(*this, {});
    const bool name = nodes.size() == 1 && nodes[0].is_name() && nodes[0].sub.empty() && words.size() == 1 &&
                      words[0].kind == Token::Kind::name;
    if (name) {
      names[naming.canonical(nodes[0])] = words[0];
      return;
    }
    Pattern pattern;
    for (const auto& node : nodes) pattern.nodes.push_back(naming.canonical(node));
    pattern.becomes = std::move(words);
    std::erase_if(patterns, [&](const auto& each) { return each.nodes == pattern.nodes; });
    patterns.push_back(std::move(pattern));
    return;
  }
  if (word == "where") {
    restriction = restriction_in(read_tex(rest, {rule.place.line, column, 1}, macros));
    if (restriction.empty()) throw FormulaError(rule.place, "where indices are compared: where i \\neq j");
    return;
  }
  Tokens tokens(lex(rest, rule.place.line, column));
  if (word == "layers") {
    const auto letter = tokens.name("the letter that stands for a layer");
    tokens.expect("=", "\"=\" and its number, as in layers l = 1, 2,");
    std::vector<int> values;
    do values.push_back(static_cast<int>(tokens.whole_number("a layer's number")));
    while (tokens.take(","));
    expect_end(tokens);
    layers[letter] = std::move(values);
  } else if (word == "indices") {
    const Place place = tokens.peek().place;
    if (!tokens.take_word("from")) tokens.fail("\"indices from 0\" or \"indices from 1\" expected");
    const auto first = tokens.whole_number("0 or 1");
    expect_end(tokens);
    if (first < 0 || first > 1) throw FormulaError(place, "indices count from 0 or from 1");
    first_index = static_cast<int>(first);
  } else if (word == "argument") {
    const auto letter = tokens.name("the letter of the argument");
    const auto where = tokens.name("first, last or dropped");
    expect_end(tokens);
    if (where != "first" && where != "last" && where != "dropped")
      throw FormulaError(rule.place, "an argument is the first or the last index, or dropped: argument t first");
    arguments[letter] = where;
  } else {  // for i=0..3
    ranges = lex(text, rule.place.line, rule.place.column);
    Tokens all(ranges);
    read_ranges(all);
    expect_end(all);
    ranges.pop_back();
  }
}

std::vector<std::vector<Token>> read_statement(const TexNodes& written, const Symbols& symbols, const TexRules& rules,
                                               std::pair<std::string, int> layer, Place end,
                                               const TexNodes& restriction) {
  TexNaming naming(rules, std::move(layer));
  std::vector<std::vector<Token>> found(1);
  auto nodes = written;
  const auto finish = [&] {
    if (!found.back().empty()) found.back().insert(found.back().end(), rules.ranges.begin(), rules.ranges.end());
    Token last;
    last.place = end;
    found.back().push_back(std::move(last));
  };
  const auto symbol = [&](std::string_view text, Place place, Token::Kind kind = Token::Kind::symbol) {
    Token token;
    token.kind = kind;
    token.text = text;
    token.place = place;
    found.back().push_back(std::move(token));
  };
  TexTranslator translator(symbols, rules, naming, found.back());
  if (nodes.size() > 2 && nodes[0].is_name() &&
      (nodes[1].is("<-") || (nodes[1].is(":=") && translator.known(nodes[0])))) {  // w \leftarrow w - \eta g is of w'
    const bool step = translator.becomes(nodes[0]);
    if (!step && nodes[0].plain() && mentions({nodes.begin() + 2, nodes.end()}, nodes[0].text)) {
      throw FormulaError(nodes[1].place, str("what ", in_quotes(naming.canonical(nodes[0])),
                                             " becomes is not known; an optimizer makes it, or name it: read … as …"));
    }
    nodes[0].primes += step ? 1 : 0;
    nodes[1].text = "=";
  }
  std::vector<std::size_t> signs;  // outside of brackets
  int open = 0;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (opens(nodes[k])) ++open;
    if (closes(nodes[k])) --open;
    if (open == 0 && (nodes[k].is("=") || nodes[k].is(":="))) signs.push_back(k);
  }
  const auto slice = [&](std::size_t from, std::size_t to) {
    return TexNodes(nodes.begin() + static_cast<std::ptrdiff_t>(from), nodes.begin() + static_cast<std::ptrdiff_t>(to));
  };
  const auto last = signs.size() > 1 ? signs[1] : nodes.size();
  const auto right = signs.empty() ? TexNodes() : slice(signs[0] + 1, last);
  const bool words = !right.empty() && std::ranges::all_of(right, [&](const TexNode& node) {
    return node.kind == Node::word && node.plain() && !translator.known(node) && function_named(node.text).empty() &&
           !is_reduction(node.text) && !is_d(node) && node.text != "nabla";
  });
  if (words && signs[0] > 0 && signs.size() == 1) {
    auto text = naming.canonical(slice(0, signs[0])) + " is";
    std::erase(text, '\\');
    for (const auto& node : right) text += " " + node.text;
    std::replace(text.end() - static_cast<std::ptrdiff_t>(text.size() - text.find(" is")), text.end(), '_', ' ');
    symbol(text, nodes[0].place, Token::Kind::text);
    finish();
    return found;
  }
  const bool function = !signs.empty() && signs[0] == 4 && nodes[1].is("(") && nodes[2].kind == Node::letter &&
                        nodes[2].plain() && nodes[3].is(")") && nodes[3].plain();
  const auto own = signs.empty() ? std::vector<Token>() : translator.unknown_reading(slice(0, signs[0]));
  const bool defines = !signs.empty() && nodes[0].is_name() && (signs[0] == 1 || function) &&
                       !nodes[0].is_word("partial") && (nodes[signs[0]].is(":=") || !translator.known(nodes[0]));
  if (!defines && own.empty()) {
    translator.relations(restricted(nodes, restriction));
    finish();
    return found;
  }
  if (own.empty()) {
    translator.defined(nodes[0]);
  } else {
    found.back() = own;
  }
  if (function && own.empty()) {
    symbol("(", nodes[1].place);
    symbol(nodes[2].text, nodes[2].place, Token::Kind::name);
    symbol(")", nodes[3].place);
    translator.parameter = nodes[2].text;
  }
  symbol(":=", nodes[signs[0]].place);
  translator.all(right);
  finish();
  if (signs.size() > 1) {
    found.emplace_back();
    TexTranslator(symbols, rules, naming, found.back()).relations(slice(last, nodes.size()));
    finish();
  }
  return found;
}

}  // namespace chalk::math
