// What the documents that a derivation is written as have in common.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/derive.h"

namespace chalk::calculus {

/// Four digits that count.
std::string text_of(double number);
/// "[[0.5, 1], [2, 0]]" with `between` rows, or "[[0.5, 1, …], …], norm 3.2" of a corner.
std::string text_of(const DerivedNumbers& numbers, std::string_view between = ", ");
/// "and 2 more terms" of an entry; empty if there are none.
std::string left_out_of(const DerivedEntry& entry);

/// Whether an equation says what the value is.
bool has_chain(const Derivation& derivation, const std::string& value);
/// "w''" as w and 2.
std::pair<std::string_view, int> without_primes(std::string_view name);

/// Symbols as a table has them: one a row or, where a derivation is brief, those with the same letter and shape
/// together.
struct SymbolRow {
  std::vector<const DerivedSymbol*> symbols;  ///< one, or the first two or three and the last
  bool more = false;                          ///< there are others between the last two
};
std::vector<SymbolRow> symbol_rows(const Derivation& derivation);

}  // namespace chalk::calculus
