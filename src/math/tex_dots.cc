// What dots leave out: x_1 + \cdots + x_n and x_1 x_2 \cdots x_n, whose ends differ by a number, and chains of
// derivatives from layer to layer, \frac{\partial a^{(3)}}{\partial a^{(2)}} \cdots \frac{\partial a^{(1)}}{\partial
// w}.
#include <algorithm>
#include <charconv>
#include <utility>

#include "src/math/tex_translator.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

constexpr int kMostFactors = 50;

TexNode sign(std::string_view text, Place place) {
  TexNode node;
  node.text = text;
  node.place = place;
  return node;
}

TexNode made(Node kind, std::string_view text, Place place) {
  auto node = sign(text, place);
  node.kind = kind;
  return node;
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Two formulas that are the same but for a number in the first, whose place `letter` takes in `both`.
struct Alike {
  TexNodes both;
  std::optional<int> low;   // the number
  TexNodes high{};          // what the second has there
  std::string high_name{};  // the same, to compare
};

class Difference {
 public:
  Difference(const TexNaming& naming, std::string letter) : naming_(naming), letter_(std::move(letter)) {}

  std::optional<Alike> of(const TexNodes& a, const TexNodes& b) {
    found_ = {.both = a, .low = {}};
    if (!merge(found_.both, b) || !found_.low) return std::nullopt;
    return found_;
  }

 private:
  bool merge(TexNodes& a, const TexNodes& b) {
    if (a.size() != b.size()) return a.size() == 1 && differs(a[0], b);
    for (std::size_t k = 0; k < a.size(); ++k) {
      const bool same = a[k].kind == b[k].kind && a[k].text == b[k].text;
      if (!same && !(b[k].plain() && differs(a[k], {b[k]}))) return false;
      if (!same) continue;
      if (a[k].primes != b[k].primes || a[k].args.size() != b[k].args.size()) return false;
      for (std::size_t n = 0; n < a[k].args.size(); ++n) {
        if (!merge(a[k].args[n], b[k].args[n])) return false;
      }
      if (!merge(a[k].sub, b[k].sub) || !merge(a[k].sup, b[k].sup)) return false;
    }
    return true;
  }
  bool differs(TexNode& a, const TexNodes& b) {
    if (a.kind != Node::number || !a.plain() || b.empty() || b[0].kind == Node::sign) return false;
    const auto low = number_in(a.text);
    const auto high = naming_.canonical(b);
    if (!low || (found_.low && (found_.low != low || found_.high_name != high))) return false;
    found_.low = low;
    found_.high = b;
    found_.high_name = high;
    a.kind = Node::letter;
    a.text = letter_;
    return true;
  }

  const TexNaming& naming_;
  std::string letter_;
  Alike found_;
};

class Writer {
 public:
  Writer(const TexNodes& nodes, const TexNaming& naming)
      : nodes_(nodes), naming_(naming), letter_(free_letter()), compare_(naming, letter_) {}

  TexNodes run() {
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      if (!is_dots(nodes_[at]) || !nodes_[at].plain()) continue;
      if (sum(at) || chain(at) || product(at)) at = 0;
    }
    return std::move(nodes_);
  }

 private:
  std::string free_letter() const {
    for (const char c : std::string_view("kijlmnpqrsuvh")) {
      if (!mentions(nodes_, std::string_view(&c, 1))) return {c};
    }
    return "k";
  }

  bool ends_term(const TexNode& node) const {
    return node.is("+") || node.is("-") || node.is(",") || node.is("quad") || is_relation(node);
  }
  TexNodes slice(std::size_t begin, std::size_t end) const {
    return {nodes_.begin() + static_cast<std::ptrdiff_t>(begin), nodes_.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  /// Where the term begins that ends before `end`.
  std::size_t term_before(std::size_t end) const {
    int depth = 0;
    auto at = end;
    for (; at > 0; --at) {
      const auto& node = nodes_[at - 1];
      if (closes(node)) ++depth;
      if (opens(node) && --depth < 0) break;
      if (depth == 0 && ends_term(node)) break;
    }
    return at;
  }
  std::size_t term_behind(std::size_t begin) const {
    int depth = 0;
    auto at = begin;
    for (; at < nodes_.size(); ++at) {
      const auto& node = nodes_[at];
      if (opens(node)) ++depth;
      if (closes(node) && --depth < 0) break;
      if (depth == 0 && ends_term(node)) break;
    }
    return at;
  }
  void put(std::size_t begin, std::size_t end, const TexNodes& instead) {
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(begin),
                 nodes_.begin() + static_cast<std::ptrdiff_t>(end));
    nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(begin), instead.begin(), instead.end());
  }
  /// \sum_{k=low}^{high} or \prod of it.
  static TexNodes over(std::string_view word, const Alike& alike, int low, const std::string& letter, Place place) {
    auto node = made(Node::word, word, place);
    node.sub = {made(Node::letter, letter, place), sign("=", place), made(Node::number, std::to_string(low), place)};
    node.sup = alike.high;
    TexNodes all{std::move(node)};
    all.insert(all.end(), alike.both.begin(), alike.both.end());
    return all;
  }

  bool sum(std::size_t at) {
    if (at < 2 || at + 2 >= nodes_.size() || !nodes_[at - 1].is("+") || !nodes_[at + 1].is("+")) return false;
    auto begin = term_before(at - 1);
    const auto end = term_behind(at + 2);
    auto term = slice(begin, at - 1);
    const auto alike = compare_.of(term, slice(at + 2, end));
    if (!alike) return false;
    int low = *alike->low;
    while (begin > 1 && nodes_[begin - 1].is("+")) {
      const auto before = term_before(begin - 1);
      const auto step = compare_.of(slice(before, begin - 1), term);
      if (!step) break;
      if (*step->low != low - 1 || step->high_name != std::to_string(low)) return false;
      term = slice(before, begin - 1);
      begin = before;
      --low;
    }
    put(begin, end, over("sum", *alike, low, letter_, nodes_[at].place));
    return true;
  }

  /// The factor next to the dots, with or without a sign of multiplication between them.
  std::optional<std::size_t> factor_before(std::size_t at) const {
    if (at > 1 && nodes_[at - 1].is("*")) --at;
    if (at == 0 || nodes_[at - 1].kind == Node::sign) return std::nullopt;
    return at - 1;
  }
  std::optional<std::size_t> factor_behind(std::size_t at) const {
    ++at;
    if (at < nodes_.size() && nodes_[at].is("*")) ++at;
    if (at >= nodes_.size() || nodes_[at].kind == Node::sign) return std::nullopt;
    return at;
  }

  bool product(std::size_t at) {
    auto begin = factor_before(at);
    const auto end = factor_behind(at);
    if (!begin || !end) return false;
    const auto alike = compare_.of(slice(*begin, *begin + 1), slice(*end, *end + 1));
    if (!alike) return false;
    int low = *alike->low;
    for (auto before = factor_before(*begin); before; before = factor_before(*begin)) {
      const auto step = compare_.of(slice(*before, *before + 1), slice(*begin, *begin + 1));
      if (!step) break;
      if (*step->low != low - 1 || step->high_name != std::to_string(low)) return false;
      begin = before;
      --low;
    }
    auto group = made(Node::group, "", nodes_[at].place);
    group.args.push_back(over("prod", *alike, low, letter_, nodes_[at].place));
    put(*begin, *end + 1, {std::move(group)});
    return true;
  }

  /// \frac{\partial a^{(m)}}{\partial b}: a, b
  static std::optional<std::pair<TexNode, TexNode>> derivative(const TexNode& node) {
    if (node.kind != Node::command || node.text != "frac" || !node.plain()) return std::nullopt;
    for (const auto& arg : node.args) {
      if (arg.size() != 2 || !is_d(arg[0]) || !arg[0].plain() || !arg[1].is_name()) return std::nullopt;
    }
    return std::pair(node.args[0][1], node.args[1][1]);
  }
  std::optional<int> layer(const TexNode& node) const {
    auto label = naming_.supers(node).label;
    if (label.size() > 2 && label.front() == '(') label = label.substr(1, label.size() - 2);
    return number_in(label);
  }
  static TexNode at_layer(TexNode node, int layer) {
    node.sup = {sign("(", node.place), made(Node::number, std::to_string(layer), node.place), sign(")", node.place)};
    return node;
  }

  bool chain(std::size_t at) {
    const auto begin = factor_before(at), end = factor_behind(at);
    if (!begin || !end) return false;
    const auto step = derivative(nodes_[*begin]), last = derivative(nodes_[*end]);
    if (!step || !last || step->first.text != step->second.text || step->first.text != last->first.text) return false;
    if (!step->first.sub.empty() || !step->second.sub.empty() || !last->first.sub.empty()) return false;
    const auto from = layer(step->first), next = layer(step->second), to = layer(last->first);
    if (!from || !next || !to || *next != *from - 1 || *to > *from || *from - *to > kMostFactors) return false;
    TexNodes factors;
    for (int k = *from; k > *to; --k) {
      auto factor = nodes_[*begin];
      factor.args[0][1] = at_layer(step->first, k);
      factor.args[1][1] = at_layer(step->second, k - 1);
      factors.push_back(std::move(factor));
    }
    put(*begin, *end, factors);
    return true;
  }

  TexNodes nodes_;
  const TexNaming& naming_;
  std::string letter_;  // of indices that dots run over
  Difference compare_;
};

}  // namespace

TexNodes without_dots(const TexNodes& nodes, const TexNaming& naming) { return Writer(nodes, naming).run(); }

}  // namespace chalk::math
