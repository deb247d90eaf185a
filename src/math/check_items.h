// What check_derivation() and check_latex() say of statements that have been cut apart already, as those of an exercise
// sheet and of an answer to it are.
#pragma once

#include <vector>

#include "chalkgrad/check.h"
#include "src/math/tex_document.h"

namespace chalk::math {

struct ItemToCheck {
  TexItem item;
  const TexMacros* macros = nullptr;
  /// An answer gives equations and names, and declares nothing; names of its own do not take over the chain.
  bool of_answer = false;
  bool goes_on = false;  ///< as if it began with "=", unless it does, or defines a name
  bool judged = true;    ///< false: is read only
};

struct CheckedItems {
  CheckReport report;
  std::vector<std::size_t> item_of;  ///< of each line of the report
  std::size_t reading = 0;           ///< the item that an error is in
};

/// Throws FormulaError, as found.reading says, for what check_derivation() throws InputError for.
void check_items(const std::vector<ItemToCheck>& items, const CheckOptions& options, CheckedItems& found);

}  // namespace chalk::math
