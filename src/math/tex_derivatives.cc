// Derivatives, however they are written, and values at a place.
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/tex_translator.h"

namespace chalk::math {

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

void TexTranslator::evaluated(bool first) {
  const auto run = out_.size();
  const bool group = peek() && peek()->kind == TexNode::Kind::group;
  factor();
  while (peek() && peek()->is("|") && !peek()->sub.empty()) {
    const TexNode bar = *peek();
    if (!first && !group)
      throw FormulaError(bar.place, "is all that stands before this bar meant? write \\left. … \\right|");
    ++at_;
    const std::vector<Token> what(out_.begin() + static_cast<std::ptrdiff_t>(run), out_.end());
    out_.erase(out_.begin() + static_cast<std::ptrdiff_t>(run), out_.end());
    emit_name("at", bar.place);
    emit("(", bar.place);
    out_.insert(out_.end(), what.begin(), what.end());
    for (std::size_t from = 0; from < bar.sub.size();) {
      auto end = from;
      while (end < bar.sub.size() && !bar.sub[end].is(",")) ++end;
      replaced(
          {bar.sub.begin() + static_cast<std::ptrdiff_t>(from), bar.sub.begin() + static_cast<std::ptrdiff_t>(end)},
          bar.place);
      from = end + 1;
    }
    emit(")", bar.place);
  }
}

void TexTranslator::replaced(const TexNodes& nodes, Place place) {
  const auto sign = relation_in(nodes);
  if (!sign || !(nodes[*sign].is("=") || nodes[*sign].is(":=")) || *sign == 0 || *sign + 1 == nodes.size())
    throw FormulaError(place, "behind this bar stand values and what they become: \\right|_{w=0}");
  emit(",", place);
  within(out_).all({nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(*sign)});
  emit(":=", place);
  within(out_).all({nodes.begin() + static_cast<std::ptrdiff_t>(*sign) + 1, nodes.end()});
}

}  // namespace chalk::math
