#include "src/derive/document.h"

#include <algorithm>

#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/derive/terms.h"
#include "src/math/expr.h"

namespace chalk::calculus {
namespace {

std::string letter_of(const std::string& name) { return name.substr(0, name.find_first_of("0123456789")); }

std::string nested(const DerivedNumbers& n, std::size_t axis, std::size_t& next, std::string_view between) {
  if (axis == n.shape.size()) return text_of(n.numbers[next++]);
  const bool last = axis + 1 == n.shape.size();
  std::string text = "[";
  for (std::int64_t i = 0; i < n.shown[axis]; ++i) {
    if (i > 0) text += last ? ", " : between;
    text += nested(n, axis + 1, next, between);
  }
  if (n.shown[axis] < n.shape[axis]) text += str(last ? ", " : between, "…");
  return text + "]";
}

}  // namespace

std::string text_of(double number) { return shortest(rounded(number) + 0.0); }  // no −0

std::string text_of(const DerivedNumbers& numbers, std::string_view between) {
  std::size_t next = 0;
  auto text = nested(numbers, 0, next, between);
  if (!numbers.whole()) text += str(between == ", " ? ", norm " : "\nnorm ", text_of(numbers.norm));
  return text;
}

std::string left_out_of(const DerivedEntry& entry) {
  return entry.left_out == 0 ? "" : str("\"...\": ", entry.left_out, " more terms");
}

bool has_chain(const Derivation& derivation, const std::string& value) {
  return std::ranges::any_of(derivation.sections, [&](const DerivedSection& section) {
    return std::ranges::any_of(section.chains, [&](const DerivedChain& chain) {
      return chain.left.tree()->kind == math::Kind::name && chain.left.tree()->name == value;
    });
  });
}

std::pair<std::string_view, int> without_primes(std::string_view name) {
  const auto letters = name.substr(0, name.find('\''));
  return {letters, static_cast<int>(name.size() - letters.size())};
}

std::vector<SymbolRow> symbol_rows(const Derivation& derivation) {
  std::vector<SymbolRow> rows;
  for (const auto& symbol : derivation.symbols) {
    const auto same = std::ranges::find_if(rows, [&](const SymbolRow& row) {
      const auto& first = *row.symbols[0];
      return letter_of(first.name) == letter_of(symbol.name) && first.shape == symbol.shape;
    });
    if (!derivation.brief || same == rows.end()) {
      rows.push_back({{&symbol}});
      continue;
    }
    same->more = same->symbols.size() > 1;
    if (same->more) same->symbols.pop_back();
    same->symbols.push_back(&symbol);
  }
  return rows;
}

}  // namespace chalk::calculus
