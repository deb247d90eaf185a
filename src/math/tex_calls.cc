// Functions, and sums over indices.
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
    auto behind = naming_.supers(close);
    if (!close.sub.empty()) {
      if (std::exchange(behind.transposed, false)) emit("^T", close.place);
      element(close);
    }
    if (behind.transposed || !behind.power.empty()) raised(run, behind);
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
  TexNodes below = node.sub, other;  // j=1, j \neq i
  const auto comma = std::ranges::find_if(below, [](const auto& each) { return each.is(","); });
  const TexNodes behind(comma == below.end() ? comma : comma + 1, below.end());
  if (std::ranges::any_of(behind, [](const auto& each) { return each.is("!="); })) {
    const auto sign = std::ranges::find_if(behind, [](const auto& each) { return each.is("!="); });
    if (sign != behind.begin() + 1 || naming_.canonical(behind[0]) != naming_.canonical(below[0]))
      throw FormulaError(behind[0].place, "a condition on the index of a sum: only i \\neq j is understood here");
    other = {sign + 1, behind.end()};
    below.erase(comma, below.end());
  }
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
  if (equal != below.end() && equal->is("!=")) other = {equal + 1, below.end()};
  if (!other.empty()) {
    if (word != "sum") throw FormulaError(other[0].place, "a condition is understood below sums only");
    emit("[", other[0].place);
    index_atom(parts[0][0]);
    emit("!=", other[0].place);
    index(other);
    emit("]", other[0].place);
    emit("*", other[0].place);
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
