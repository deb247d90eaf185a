// Names, their indices, functions, and sums over indices.
#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

std::string lowered(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// The sign or name, for messages.
std::string shown(const TexNode& node) { return in_quotes(node.text); }

}  // namespace

std::string function_named(std::string_view word) {
  const auto lower = lowered(std::string(word));
  if (is_builtin(lower) || lower == "softmax" || lower == "diag") return std::string(canonical(lower));
  if (lower == "sgn") return "sign";
  if (lower == "logistic") return "sigmoid";
  if (lower == "heaviside") return "step";
  return {};
}

bool is_reduction(std::string_view word) {
  return word == "sum" || word == "prod" || word == "max" || word == "min" || word == "argmax";
}

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
  const auto supers = naming_.supers(node);
  if (rule_for(node)) return true;
  if (matching_pattern(TexNodes{node}, 0)) return true;
  const auto token = name_token(node, supers, true);
  return symbols_.find(token.text, token.primes) >= 0 || symbols_.find(token.text, 0) >= 0 ||
         (node.sub.empty() && !function_named(token.text).empty()) || is_reserved(token.text);
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

void TexTranslator::named(const TexNode& node) {
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
  if (value && !is_parameter) value_indices(node, id);
  TexSupers above = supers;
  if (!power) above.power.clear();
  raised(run, above);
}

const std::string* TexTranslator::argument_follows() const {
  if (!peek() || !peek()->is("(") || !peek(1) || !peek(2) || !peek(2)->is(")") || !peek(2)->plain()) return nullptr;
  const auto found = rules_.arguments.find(naming_.canonical(*peek(1)));
  return found == rules_.arguments.end() ? nullptr : &found->second;
}

void TexTranslator::value_indices(const TexNode& node, int id) {
  std::vector<TexNodes> parts;
  if (!node.sub.empty()) parts = TexNaming::indices(node.sub);
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                 parts.size(), static_cast<std::size_t>(taken_))));
  if (const auto* where = argument_follows()) {
    const auto letter = slice(at_ + 1, at_ + 2);
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
  if (parts.empty()) return;
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

void TexTranslator::call(const TexNode& node, const Token& token, const TexSupers& supers) {
  const int id = symbols_.find(token.text, 0);
  const bool family = id >= 0 && symbols_[id].kind == Symbol::Kind::functions;
  const auto run = out_.size();
  const bool power = power_ && !supers.power.empty();  // of what is called
  ++at_;
  out_.push_back(token);
  auto parts = node.sub.empty() ? std::vector<TexNodes>() : TexNaming::indices(node.sub);
  parts.erase(parts.begin(),
              parts.begin() + std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(parts.size()), taken_));
  const bool vector = token.text == "softmax" && parts.size() == 1;
  if (!parts.empty() && !vector) {
    if (!family || parts.size() != 1)
      throw FormulaError(node.sub[0].place, str(in_quotes(token.text), " is a function, and takes no such index"));
    emit("[", node.place);
    index(parts[0]);
    emit("]", node.place);
  }
  if (peek() && opens(*peek())) {
    const auto end = close_of(at_);
    const auto inside = slice(at_ + 1, end);
    const Place place = peek()->place;
    TexNode close = (*nodes_)[end];
    at_ = end + 1;
    in_brackets(inside, place);
    if (vector) {
      emit("[", node.place);
      index(parts[0]);
      emit("]", node.place);
    }
    const auto behind = naming_.supers(close);
    if (behind.transposed || !behind.power.empty()) raised(run, behind);
    if (!close.sub.empty())
      throw FormulaError(close.sub[0].place, "an index of something that is not a name; name it first");
  } else {
    if (id >= 0 || ends_term())
      throw FormulaError(node.place,
                         str(in_quotes(token.text), " is a function; write its argument: ", token.text, "(…)"));
    emit("(", node.place);
    factor();
    emit(")", node.place);
  }
  if (power) {
    if (supers.power.size() == 2 && supers.power[0].is("-"))
      throw FormulaError(node.place, "is this the inverse function, or 1 divided by it? write \\frac{1}{…}");
    TexSupers above;
    above.power = supers.power;
    raised(run, above);
  }
}

void TexTranslator::reduction(std::string_view word) {
  TexNode node = *peek();
  node.text = word;
  reduction(node);
}

void TexTranslator::reduction(const TexNode& node) {
  ++at_;
  const auto& word = node.text;
  if (node.sub.empty()) {
    if (word == "max" || word == "min") return pair(node);
    if (word == "sum" && peek() && peek()->is("(")) return whole_sum(node);
    throw FormulaError(node.place, str("over which index? write \\", word, "_i"));
  }
  TexNodes below = node.sub;
  const auto equal = std::ranges::find_if(below, [](const auto& each) { return is_relation(each); });
  const TexNodes names(below.begin(), equal);
  if (names.empty()) throw FormulaError(below[0].place, "an index expected before this sign");
  std::optional<std::pair<int, int>> values;
  if (equal != below.end() && equal->is("=")) {
    const TexNodes low(equal + 1, below.end());
    bool lettered = false;
    const auto first = naming_.number(low, lettered);
    bool has_last = false;
    int last = 0;
    if (const auto value = naming_.number(node.sup, lettered)) has_last = true, last = *value;
    if (first && has_last && lettered) return unrolled(node, names, *first, last);
    if (!first)
      throw FormulaError(low.empty() ? equal->place : low[0].place,
                         "where does this begin? a number, or letters that stand for layers");
    if (has_last) {
      if (!rules_.first_index)
        throw FormulaError(low[0].place, "do indices count from 0 or from 1? say: indices from 1");
      values = {*first - *rules_.first_index, last - *rules_.first_index};
    } else if (*first != rules_.first_index.value_or(*first) || *first > 1) {
      throw FormulaError(low[0].place, "a sum over a part of an index's range has numbers on both ends");
    }
  }
  const auto condition = std::ranges::find_if(below, [](const auto& each) {
    return each.is_word("in") || each.is_word("notin") || (is_relation(each) && !each.is("=") && !each.is("!="));
  });
  if (condition != below.end()) {
    throw FormulaError(condition->place, "a condition on the index of a sum: only i \\neq j is understood here");
  }
  const auto parts = TexNaming::indices(names);
  emit_name(word, node.place);
  emit("(", node.place);
  for (const auto& part : parts) {
    if (part.size() != 1) throw FormulaError(part[0].place, "a plain index expected");
    index_atom(part[0]);
    if (values) {
      emit("=", node.place);
      signed_number(values->first, node.place);
      emit("..", node.place);
      signed_number(values->second, node.place);
    }
    emit(",", node.place);
  }
  if (equal != below.end() && equal->is("!=")) {
    if (word != "sum") throw FormulaError(equal->place, "a condition is understood below sums only");
    emit("[", equal->place);
    index_atom(parts[0][0]);
    emit("!=", equal->place);
    index({equal + 1, below.end()});
    emit("]", equal->place);
    emit("*", equal->place);
  }
  body(word);
  emit(")", node.place);
}

void TexTranslator::signed_number(int value, Place place) {
  if (value < 0) emit("-", place);
  emit_number(std::abs(value), place);
}

void TexTranslator::body(std::string_view word) {
  if (word == "sum" || (word == "prod" && !(peek() && opens(*peek())))) return term();
  factor();
}

void TexTranslator::unrolled(const TexNode& node, const TexNodes& names, int first, int last) {
  if (names.size() != 1) throw FormulaError(node.place, "one letter for the layers of a sum expected");
  const auto letter = names[0].text;
  const auto from = at_;
  const auto before = naming_.bound;
  const int count = last - first + 1;
  if (count < 0) throw FormulaError(node.place, "this runs downwards; write it from its lower end to its upper one");
  if (count > 50) throw FormulaError(node.place, "a sum over more than 50 layers");
  emit("(", node.place);
  if (count == 0) {
    emit_number(node.text == "prod" ? 1 : 0, node.place);
    std::vector<Token> nowhere;
    auto skipping = within(nowhere);
    skipping.at_ = at_;
    naming_.bound[letter] = first;
    try {
      skipping.body(node.text);
    } catch (const FormulaError&) {  // it stands for layers that are not there
      skip_term(node.text);
      skipping.at_ = at_;
    }
    at_ = skipping.at_;
  }
  for (int k = 0; k < count; ++k) {
    if (k > 0) emit(node.text == "prod" ? "*" : "+", node.place, node.text == "prod");
    naming_.bound[letter] = first + k;
    at_ = from;
    body(node.text);
  }
  emit(")", node.place);
  naming_.bound = before;
}

void TexTranslator::skip_term(std::string_view word) {
  if (word == "prod" && peek() && opens(*peek())) {
    at_ = close_of(at_) + 1;
    return;
  }
  while (!ends_term()) at_ = opens(*peek()) ? close_of(at_) + 1 : at_ + 1;
}

void TexTranslator::pair(const TexNode& node) {
  if (!peek() || !opens(*peek())) throw FormulaError(node.place, str("over which index? write \\", node.text, "_i"));
  const auto end = close_of(at_);
  const auto inside = slice(at_ + 1, end);
  int open = 0;
  std::size_t comma = 0;
  for (std::size_t k = 0; k < inside.size() && comma == 0; ++k) {
    if (opens(inside[k])) ++open;
    if (closes(inside[k])) --open;
    if (open == 0 && inside[k].is(",")) comma = k;
  }
  if (comma == 0)
    throw FormulaError(node.place, str("over which index? write \\", node.text, "_i, or \\", node.text, "(a, b)"));
  at_ = end;
  powered((*nodes_)[end], [&] {
    emit_name(node.text, node.place);
    emit("(", node.place);
    within(out_).all({inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(comma)});
    emit(",", inside[comma].place);
    within(out_).all({inside.begin() + static_cast<std::ptrdiff_t>(comma) + 1, inside.end()});
    emit(")", node.place);
  });
}

void TexTranslator::whole_sum(const TexNode& node) {
  const auto end = close_of(at_);
  auto inside = slice(at_ + 1, end);
  std::optional<std::string> axis;
  for (std::size_t k = 0; k + 3 < inside.size() + 0; ++k) {
    if (inside[k].is(",") && inside[k + 1].is_word("axis") && inside[k + 2].is("=") &&
        inside[k + 3].kind == Node::number) {
      axis = inside[k + 3].text;
      inside.resize(k);
      break;
    }
  }
  at_ = end + 1;
  emit_name("sum", node.place);
  emit("(", node.place);
  within(out_).all(inside);
  if (axis) {
    emit(",", node.place);
    emit_name("axis", node.place);
    emit("=", node.place);
    emit_number(std::stod(*axis), node.place);
  }
  emit(")", node.place);
}

}  // namespace chalk::math
