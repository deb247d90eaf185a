// Names and their indices.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

/// The sign or name, for messages.
}  // namespace

bool is_d(const TexNode& node) { return node.is_word("partial") || (node.kind == Node::letter && node.text == "d"); }

void TexTranslator::defined(const TexNode& node) {
  Token token = name_token(node, naming_.supers(node), true);
  out_.push_back(token);
  if (node.sub.empty() || taken_ > 0) return;
  auto all = TexNaming::indices(node.sub);
  emit("[", node.place);
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (k > 0) emit(",", node.place);
    index(all[k]);
  }
  emit("]", node.place);
}

bool TexTranslator::known(const TexNode& node) {
  if (const auto below = with_argument_below(node)) return known(*below);
  const auto supers = naming_.supers(node);
  if (rule_for(node)) return true;
  if (matching_pattern(TexNodes{node}, 0)) return true;
  const auto token = name_token(node, supers, true);
  return symbols_.find(token.text, token.primes) >= 0 || symbols_.find(token.text, 0) >= 0 ||
         (node.sub.empty() && !function_named(token.text).empty()) || is_reserved(token.text);
}

std::vector<Token> TexTranslator::unknown_reading(const TexNodes& nodes) const {
  if (nodes.empty()) return {};
  const auto* pattern = matching_pattern(nodes, 0);
  if (!pattern || pattern->nodes.size() != nodes.size() || !is_plain_name(pattern->becomes)) return {};
  auto words = pattern->becomes;
  if (symbols_.find(words[0].text, words[0].primes) >= 0) return {};
  for (auto& word : words) word.place = nodes[0].place;
  return words;
}

bool TexTranslator::becomes(const TexNode& node) {
  if (matching_pattern(TexNodes{node}, 0)) return false;
  const auto token = name_token(node, naming_.supers(node), true);
  return symbols_.find_value(token.text, token.primes + 1) >= 0;
}

const Token* TexTranslator::rule_for(const TexNode& node, const TexSupers& supers, int& primes) const {
  TexNode bare;
  bare.kind = node.kind;
  bare.text = node.text;
  const auto key = naming_.canonical(bare) + (supers.label.empty() ? "" : "^{" + supers.label + "}");
  for (primes = 0; primes <= supers.primes; ++primes) {
    const auto found = rules_.names.find(key + std::string(static_cast<std::size_t>(supers.primes - primes), '\''));
    if (found != rules_.names.end()) return &found->second;
  }
  return nullptr;
}

const Token* TexTranslator::rule_for(const TexNode& node) const {
  int primes = 0;
  return rule_for(node, naming_.supers(node), primes);
}

Token TexTranslator::name_token(const TexNode& node, const TexSupers& supers, bool any) {
  power_ = !supers.power.empty();
  taken_ = 0;
  Token token;
  token.kind = Token::Kind::name;
  token.place = node.place;
  token.primes = supers.primes;
  int primes = 0;
  if (const auto* rule = rule_for(node, supers, primes)) {
    token.text = rule->text;
    token.primes = rule->primes + primes;
    if (!supers.label.empty()) power_ = false;
    return token;
  }
  const auto& base = node.text;
  token.text = base;
  if (!supers.label.empty()) {
    auto label = supers.label;
    const bool bracket = label.front() == '(';
    if (bracket) label = label.substr(1, label.size() - 2);
    const bool digits = label.find_first_not_of("0123456789") == std::string::npos;
    std::string plain;
    for (const char c : label)
      plain += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? std::string(1, c) : "";
    const bool maybe_power = !supers.power.empty();
    const bool base_known = exists(base, token.primes);
    std::vector<std::string> names;
    if (digits) names.push_back(base + label);
    if (!plain.empty() && !digits) names.insert(names.end(), {base + "_" + plain, base + plain});
    const auto found = std::ranges::find_if(names, [&](const auto& name) { return exists(name, token.primes); });
    if (found != names.end() && !(maybe_power && base_known)) {
      token.text = *found;
      power_ = false;
      return token;
    }
    if (maybe_power) {
      power_ = true;
    } else if (any && !names.empty()) {
      token.text = names[0];
      return token;
    } else {
      throw FormulaError(node.place, str(in_quotes(naming_.canonical(node, true)), " is not known",
                                         names.empty() ? std::string() : str(" as ", names[0]),
                                         "; say what it is: read ", naming_.canonical(node, true), " as NAME"));
    }
  }
  below_word(node, token);
  if (token.text == "delta") token.text = "delta_";  // a \delta that is not Kronecker's
  return token;
}

void TexTranslator::below_word(const TexNode& node, Token& token) {
  if (node.sub.empty()) return;
  const auto parts = TexNaming::indices(node.sub);
  bool lettered = false;
  const auto first = naming_.number(parts[0], lettered);
  std::string with;
  if (first && exists(token.text + std::to_string(*first), token.primes)) with = token.text + std::to_string(*first);
  const bool word = parts.size() == 1 && parts[0].size() == 1 && parts[0][0].kind == Node::word;
  if (word && exists(token.text + "_" + parts[0][0].text, token.primes)) with = token.text + "_" + parts[0][0].text;
  if (with.empty() && !exists(token.text, token.primes) && (word || (first && !lettered)) && parts.size() == 1 &&
      parts[0].size() == 1)
    with = token.text + (word ? "_" + parts[0][0].text : std::to_string(*first));
  if (with.empty() || (exists(token.text, token.primes) && !word)) return;
  token.text = with;
  taken_ = 1;
}

std::size_t TexTranslator::spelled(std::string& word) const {
  std::string letters;
  std::size_t found = 0;
  for (std::size_t k = 0; peek(k) && peek(k)->kind == Node::letter && peek(k)->text.size() == 1 && k < 60; ++k) {
    letters += peek(k)->text;
    const bool last = !peek(k)->plain() || !peek(k + 1) || peek(k + 1)->kind != Node::letter;
    const bool names =
        k > 0 && (!function_named(letters).empty() || is_reduction(letters) || symbols_.find(letters) >= 0);
    if (names) found = k + 1, word = letters;
    if (!peek(k)->plain() || last) break;
  }
  return found;
}

void TexTranslator::named() {
  std::string word;
  if (const auto length = spelled(word); length > 0) {
    TexNode whole = *peek(length - 1);
    whole.kind = Node::word;
    whole.text = word;
    whole.place = peek()->place;
    at_ += length - 1;
    return named(whole);
  }
  named(TexNode(*peek()));
}

std::optional<TexNode> TexTranslator::with_argument_below(const TexNode& node) const {
  const bool bracket = node.sup.size() == 3 && node.sup[0].is("(") && node.sup[2].is(")");
  if (rules_.arguments.empty() || !(bracket || node.sup.size() == 1)) return std::nullopt;
  const auto& letter = node.sup[bracket ? 1 : 0];
  const auto found = rules_.arguments.find(naming_.canonical(letter));
  if (found == rules_.arguments.end()) return std::nullopt;
  TexNode below = node;
  below.sup.clear();
  TexNode comma;
  comma.text = ",";
  comma.place = letter.place;
  if (found->second == "first") {
    if (!below.sub.empty()) below.sub.insert(below.sub.begin(), comma);
    below.sub.insert(below.sub.begin(), letter);
  } else if (found->second == "last") {
    if (!below.sub.empty()) below.sub.push_back(comma);
    below.sub.push_back(letter);
  }
  return below;
}

void TexTranslator::named(const TexNode& node) {
  if (const auto below = with_argument_below(node)) return named(*below);
  if (node.kind == Node::word && is_reduction(node.text)) return reduction(node);
  if (node.text == "e" && !node.sup.empty() && node.sub.empty() && symbols_.find_value("e") < 0 &&
      !rules_.names.count("e") && node.text != parameter) {
    ++at_;
    emit_name("exp", node.place);
    return in_brackets(node.sup, node.place);
  }
  if (node.text == "delta" && !rule_for(node) && kronecker(node)) return;
  const auto supers = naming_.supers(node);
  const auto run = out_.size();
  auto token = name_token(node, supers, false);
  const bool power = power_;
  const bool is_parameter = node.text == parameter && node.sub.empty();
  const int id = symbols_.find(token.text, token.primes) >= 0 ? symbols_.find(token.text, token.primes)
                                                              : symbols_.find(token.text, 0);
  const bool value = is_parameter || (id >= 0 && symbols_.find_value(token.text, token.primes) >= 0);
  if (id >= 0 && symbols_[id].is_value() && !value) {
    const auto name = naming_.canonical(node);
    throw FormulaError(node.place,
                       str(in_quotes(name), " is not known; define ", token.text, "', or say: read ", name, " as …"));
  }
  if (!value && id < 0) {
    if (const auto function = function_named(token.text); !function.empty() && token.text.size() > 1) {
      token.text = function;
      return call(node, token, supers);
    }
  }
  if (id >= 0 && !value) return call(node, token, supers);
  if (id < 0 && !value && node.kind == Node::word)
    throw FormulaError(node.place,
                       str(shown(node), " is not known; say what it is: read \\text{", node.text, "} as NAME"));
  ++at_;
  if (id < 0 && !value && peek() && peek()->is("(") && node.sub.empty() && node.sup.empty() && !argument_follows()) {
    throw FormulaError(node.place, str(shown(node), " is not known: a function is defined by ", node.text,
                                       "(u) := …, a value is given or read as one"));
  }
  if (id < 0 && !value && (!node.sub.empty() || token.primes > 0)) {
    if (node.sub.empty() || taken_ > 0) {
      out_.push_back(token);
      return;
    }
    throw FormulaError(node.place, str(in_quotes(naming_.canonical(node)), " is not known; declare ", token.text,
                                       ", or say: read ", naming_.canonical(node), " as …"));
  }
  out_.push_back(token);
  TexSupers behind;
  if (value && !is_parameter) {
    behind = value_indices(node, id);
    skip_arguments(id);
  }
  TexSupers above = supers;
  if (!power) above.power.clear();
  raised(run, above);
  raised(run, behind);
}

const std::string* TexTranslator::argument_follows() const {
  if (!peek() || !peek()->is("(") || !peek(1) || !peek(2) || !peek(2)->is(")") || !peek(2)->sub.empty() ||
      peek(2)->primes > 0)
    return nullptr;
  const auto found = rules_.arguments.find(naming_.canonical(*peek(1)));
  return found == rules_.arguments.end() ? nullptr : &found->second;
}

void TexTranslator::skip_arguments(int id) {
  if (!peek() || !peek()->is("(")) return;
  bool name = true;  // one is expected, and not a comma
  for (std::size_t k = 1; peek(k); ++k, name = !name) {
    const auto& node = *peek(k);
    if (!name && node.is(")") && node.plain()) {
      at_ += k + 1;
      return;
    }
    if (!name && !node.is(",") && !node.is(";")) return;
    if (!name) continue;
    if (!node.is_name()) return;
    std::vector<Token> nowhere;
    const auto token = within(nowhere).name_token(node, naming_.supers(node), true);
    const int other = symbols_.find_value(token.text, token.primes);
    if (other < 0 || !symbols_.depends(id, other)) return;
  }
}

TexSupers TexTranslator::value_indices(const TexNode& node, int id) {
  TexSupers behind;
  std::vector<TexNodes> parts;
  if (!node.sub.empty()) parts = TexNaming::indices(node.sub);
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                 parts.size(), static_cast<std::size_t>(taken_))));
  if (const auto* where = argument_follows()) {
    const auto letter = slice(at_ + 1, at_ + 2);
    behind = naming_.supers(*peek(2));
    at_ += 3;
    if (*where == "first") parts.insert(parts.begin(), letter);
    if (*where == "last") parts.push_back(letter);
  }
  const auto axes = symbols_[id].extents.size();
  if (parts.empty() && axes > 0 && peek() && peek()->is("[")) {  // out[i,j]
    const auto end = close_of(at_);
    auto inside = TexNaming::indices(slice(at_ + 1, end));
    if (inside.size() == axes && (*nodes_)[end].plain()) {
      parts = std::move(inside);
      at_ = end + 1;
    }
  }
  if (parts.empty()) return behind;
  emit("[", node.place);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (k > 0) emit(",", node.place);
    index(parts[k]);
  }
  for (auto k = parts.size(); k < axes; ++k) {  // z_n is a row
    emit(",", node.place);
    emit(":", node.place);
  }
  emit("]", node.place);
  return behind;
}

void TexTranslator::index(const TexNodes& nodes) {
  bool lettered = false;
  if (const auto value = naming_.number(nodes, lettered); value && !lettered) {
    if (!rules_.first_index)
      throw FormulaError(nodes[0].place, str("does ", *value, " count from 0 or from 1? say: indices from 1"));
    return emit_number(*value - *rules_.first_index, nodes[0].place);
  }
  if (nodes.size() == 1) return index_atom(nodes[0]);
  int letters = 0;  // next to each other
  int sign = 1, factor = 1, coefficients = 0;
  for (const auto& node : nodes) {
    if (node.is("+") || node.is("-")) {
      emit(node.text, node.place);
      sign = node.is("-") ? -1 : 1;
      letters = 0, factor = 1;
      continue;
    }
    if (node.is("*")) continue;
    if (letters > 0) {
      if (letters > 1 || out_.back().kind != Token::Kind::number)
        throw FormulaError(node.place, "are these two indices, or a product? separate indices by commas");
      emit("*", node.place);
    }
    ++letters;
    if (node.kind == Node::number && node.plain()) {
      emit_number(std::stod(node.text), node.place);
      factor = static_cast<int>(out_.back().number);
    } else if (node.is_name()) {
      index_atom(node);
      coefficients += sign * factor;
    } else {
      throw FormulaError(node.place, str(shown(node), " is not understood in an index"));
    }
  }
  // From 1: e(i+1, k+1) − 1.
  if (rules_.first_index == 1 && coefficients != 1) {
    const int more = coefficients - 1;
    emit(more > 0 ? "+" : "-", nodes[0].place);
    emit_number(std::abs(more), nodes[0].place);
  }
}

void TexTranslator::index_atom(const TexNode& node) {
  if (node.is(":")) return emit(":", node.place);
  if (!node.is_name()) throw FormulaError(node.place, str(shown(node), " is not understood as an index"));
  const auto key = naming_.canonical(node);
  std::string name = node.text;
  const auto add = [&](const std::string& text) {
    for (const char c : text)
      name += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? std::string(1, c) : "";
  };
  const auto supers = naming_.supers(node);
  if (!node.sub.empty()) {
    bool lettered = false;
    const auto value = naming_.number(node.sub, lettered);
    name += '_';
    add(value ? std::to_string(*value) : naming_.canonical(node.sub));
  }
  add(supers.label);
  if (supers.primes > 0) name += std::to_string(supers.primes);
  if (supers.transposed || (supers.label.empty() && !supers.power.empty()))
    throw FormulaError(node.place, str(in_quotes(key), " is not understood as an index"));
  const auto known = naming_.names.find(key);
  if (known != naming_.names.end()) return emit_name(known->second, node.place);
  const auto taken = [&](const std::string& other) {
    return std::ranges::any_of(naming_.names, [&](const auto& each) { return each.second == other; }) ||
           is_reserved(other);
  };
  while (taken(name)) name += '_';
  naming_.names[key] = name;
  emit_name(name, node.place);
}

bool TexTranslator::kronecker(const TexNode& node) {
  if (!node.sup.empty() || node.primes > 0 || node.sub.empty()) return false;
  const auto parts = TexNaming::indices(node.sub);
  if (parts.size() != 2) return false;
  ++at_;
  emit_name("delta", node.place);
  emit("(", node.place);
  index(parts[0]);
  emit(",", node.place);
  index(parts[1]);
  emit(")", node.place);
  return true;
}

}  // namespace chalk::math
