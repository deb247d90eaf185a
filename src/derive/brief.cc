#include "src/derive/brief.h"

#include <algorithm>
#include <map>

#include "src/base/text.h"
#include "src/math/expr.h"

namespace chalk::calculus {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// "z12[i]" as "z[i]", "j=0..63" as "j=0..#": what layers that differ in their numbers and sizes alone have in common.
std::string form_of(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      out += text[i++];
      continue;
    }
    const bool behind_letter = i > 0 && is_letter(text[i - 1]);
    auto end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    const bool small = end == i + 1 && text[i] <= '2';  // exponents, paddings, strides: 0, 1, 2
    if (!behind_letter) out += small ? text.substr(i, 1) : "#";
    i = end;
  }
  return out;
}

std::string form_of(const DerivedChain& chain) {
  auto form = form_of(chain.left.text());
  for (const auto& step : chain.steps) form += "=" + form_of(step.formula.text());
  return form;
}

/// "z1" of z1[f,p,q], "dL/dW1" of dL/dW1[g,c,i,j].
std::string name_of(const DerivedChain& chain) {
  const auto text = chain.left.text();
  std::string name;
  for (std::size_t i = 0, depth = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (depth == 0) name += text[i];
    if (text[i] == ']') --depth;
  }
  return name;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names.size() > kMost && k >= 2 && k + 1 < names.size()) {
      if (k == 2) text += ", …";
      continue;
    }
    text += str(k == 0 ? "" : k + 1 < names.size() || names.size() > kMost ? ", " : " and ", names[k]);
  }
  return text;
}

}  // namespace

void shorten(Derivation& derivation) {
  derivation.brief = true;
  for (const auto* kind : {"forward", "backward"}) {
    struct Known {
      DerivedChain* chain;
      std::vector<std::string> like;
    };
    std::map<std::string, Known> known;
    for (auto& section : derivation.sections) {
      if (section.kind != kind) continue;
      std::vector<DerivedChain> kept;
      kept.reserve(section.chains.size());  // chains that are known stay where they are
      for (auto& chain : section.chains) {
        const auto& left = *chain.left.tree();
        if (left.kind == math::Kind::derivative && left.indexed)
          continue;  // of a formula: the next chain has its result
        if (chain.steps.size() > 2) chain.steps.erase(chain.steps.begin() + 1, chain.steps.end() - 1);
        const auto form = form_of(chain);
        const auto found = known.find(form);
        if (found != known.end()) {
          found->second.like.push_back(name_of(chain));
          continue;
        }
        kept.push_back(std::move(chain));
        known[form].chain = &kept.back();
      }
      section.chains = std::move(kept);
    }
    for (const auto& [form, each] : known) {
      if (!each.like.empty()) each.chain->note = "likewise " + listed(each.like);
    }
  }
  std::erase_if(derivation.sections, [](const DerivedSection& section) { return section.chains.empty(); });
}

}  // namespace chalk::calculus
