#include "src/math/tex_names.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

using Node = TexNode::Kind;

/// ( … ) or [ … ] around all of it.
bool in_brackets(const TexNodes& nodes) {
  if (nodes.size() < 3 || !nodes.back().plain()) return false;
  return (nodes.front().is("(") && nodes.back().is(")")) || (nodes.front().is("[") && nodes.back().is("]"));
}

TexNodes inside_brackets(const TexNodes& nodes) {
  return in_brackets(nodes) ? TexNodes{nodes.begin() + 1, nodes.end() - 1} : nodes;
}

}  // namespace

bool mentions(const TexNodes& nodes, std::string_view letter) {
  return std::ranges::any_of(nodes, [&](const TexNode& node) {
    return (node.kind == Node::letter && node.text == letter) || mentions(node.sub, letter) ||
           mentions(node.sup, letter) ||
           std::ranges::any_of(node.args, [&](const auto& arg) { return mentions(arg, letter); });
  });
}

std::optional<int> TexNaming::layer(std::string_view letter) const {
  if (const auto found = bound.find(letter); found != bound.end()) return found->second;
  if (!layer_.first.empty() && letter == layer_.first) return layer_.second;
  const auto found = rules_.layers.find(letter);
  if (found == rules_.layers.end() || found->second.size() != 1) return std::nullopt;
  return found->second[0];
}

std::optional<int> TexNaming::number(const TexNodes& nodes, bool& lettered) const {
  const auto inside = inside_brackets(nodes);
  std::size_t at = 0;
  if (inside.size() > 2 && inside[0].kind == Node::letter && inside[1].is("=")) at = 2, lettered = true;  // l=4
  int total = 0, sign = 1;
  for (bool wanted = true; at < inside.size(); ++at, wanted = !wanted) {
    const auto& node = inside[at];
    if (!node.plain()) return std::nullopt;
    if (!wanted) {
      if (!node.is("+") && !node.is("-")) return std::nullopt;
      sign = node.is("-") ? -1 : 1;
      continue;
    }
    std::optional<int> value;
    if (node.kind == Node::number && node.text.size() < 6 && node.text.find('.') == std::string::npos)
      value = std::stoi(node.text);
    if (node.kind == Node::letter) {
      value = layer(node.text);
      lettered = lettered || value.has_value();
    }
    if (!value) return std::nullopt;
    total += sign * *value;
    if (at + 1 == inside.size()) return total;
  }
  return std::nullopt;
}

TexSupers TexNaming::supers(const TexNode& node) const {
  TexSupers found;
  found.primes = node.primes;
  auto above = node.sup;
  while (!above.empty()) {
    auto& last = above.back();
    if (last.is("'")) {
      ++found.primes;
      above.pop_back();
    } else if ((last.is("T") || (last.kind == Node::letter && last.text == "T")) && last.plain() && !found.transposed) {
      found.transposed = true;
      above.pop_back();
    } else {
      found.primes += std::exchange(last.primes, 0);  // z^{(2)'}
      break;
    }
  }
  if (above.empty()) return found;
  bool lettered = false;
  const bool bracket = in_brackets(above);
  if (above.size() == 1 && above[0].is("*")) {
    found.label = "*";
  } else if (const auto layer = number(above, lettered)) {
    found.label = bracket || lettered ? str("(", *layer, ")") : std::to_string(*layer);
    if (!bracket && !lettered) found.power = std::move(above);
  } else if (bracket) {
    found.label = str("(", canonical(inside_brackets(above)), ")");
  } else {
    if (std::ranges::all_of(above, [](const auto& each) { return each.is_name(); })) found.label = canonical(above);
    found.power = std::move(above);
  }
  return found;
}

std::string TexNaming::canonical(const TexNodes& nodes) const {
  std::string text;
  for (const auto& node : nodes) text += canonical(node);
  return text;
}

std::string TexNaming::canonical(const TexNode& node, bool bare) const {
  std::string text;
  if (node.kind == Node::group && node.args[0].size() == 1 && node.plain()) return canonical(node.args[0][0], bare);
  if (node.kind == Node::letter || node.kind == Node::word) {
    text = node.text.size() > 1 ? "\\" + node.text + " " : node.text;
  } else if (node.kind == Node::command || node.kind == Node::group) {
    text = node.text;
    for (const auto& arg : node.args) text += "{" + canonical(arg) + "}";
  } else {
    text = node.text;
  }
  if (!node.sub.empty() && !bare) {
    bool lettered = false;
    const auto value = number(node.sub, lettered);
    std::string below;
    for (const auto& each : node.sub) below += each.is(",") ? "" : canonical(each);
    text += "_{" + (value ? std::to_string(*value) : below) + "}";
  }
  const auto above = supers(node);
  if (!above.label.empty()) {
    text += "^{" + above.label + "}";
  } else if (!above.power.empty()) {
    text += "^{" + canonical(above.power) + "}";
  }
  if (above.transposed) text += "^T";
  return text + std::string(static_cast<std::size_t>(above.primes), '\'');
}

std::vector<TexNodes> TexNaming::indices(const TexNodes& below) {
  std::vector<TexNodes> found;
  for (std::size_t at = 0; at < below.size();) {
    auto end = at;
    while (end < below.size() && !below[end].is(",")) ++end;
    const TexNodes part(below.begin() + static_cast<std::ptrdiff_t>(at),
                        below.begin() + static_cast<std::ptrdiff_t>(end));
    const bool arithmetic =
        std::ranges::any_of(part, [](const auto& each) { return each.kind == Node::sign && !each.is(":"); });
    if (part.empty()) throw FormulaError(below[at].place, "an index is missing before the \",\"");
    if (arithmetic) {
      found.push_back(part);
    } else {
      for (const auto& each : part) found.push_back({each});
    }
    at = end + 1;
  }
  return found;
}

}  // namespace chalk::math
