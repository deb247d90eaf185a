// Indices of a derivation, and arithmetic on them. While formulas are rewritten, every index has a name of its own,
// "i#7" (a letter that would suit it, and a number); names.h gives them letters in the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/math/expr.h"

namespace chalk::calculus {

using math::Expr;
using math::ExprPtr;
using math::Kind;
using Extent = std::pair<std::int64_t, std::int64_t>;  // first and last

/// Makes indices, and knows the range of each.
class IndexSpace {
 public:
  /// An index from 0 to extent − 1 for which the letter would do.
  ExprPtr fresh(char letter, std::int64_t extent) { return fresh(letter, Extent{0, extent - 1}); }
  ExprPtr fresh(char letter, Extent range);
  const Extent& range(const std::string& name) const { return ranges_.at(name); }
  /// The body reduced over all of these indices; itself if there are none.
  ExprPtr over(math::Reduction reduction, const std::vector<ExprPtr>& indices, const ExprPtr& body) const;
  /// What an index expression lies between; nothing if it is not made of indices alone.
  std::optional<Extent> between(const ExprPtr& e) const;

 private:
  std::map<std::string, Extent> ranges_;
  int count_ = 0;
};

bool is_index(const Expr& e);
bool mentions(const ExprPtr& e, const std::string& index);
/// The expression with others in place of some indices; bounds of sums keep theirs.
ExprPtr replaced(const ExprPtr& e, const std::map<std::string, ExprPtr>& by);

/// Σ coefficient · atom + constant: what index expressions are.
struct Linear {
  std::vector<std::pair<ExprPtr, std::int64_t>> atoms;  // indices and ⌊…⌋
  std::int64_t constant = 0;
  std::int64_t of(const std::string& index) const;
};
std::optional<Linear> linear(const ExprPtr& e);
ExprPtr expression(const Linear& l);
Linear difference(const Linear& a, const Linear& b);

/// ⌊e/n⌋ and the index expression in its simplest form, given how far indices run.
ExprPtr floor_of(const ExprPtr& e, std::int64_t n, const IndexSpace& space);
ExprPtr simple_index(const ExprPtr& e, const IndexSpace& space);

/// "2·p + i" with i < 2 says p and i, like digits of a number: the atoms from the one that counts most, or nothing if
/// several choices would give the same number.
std::optional<std::vector<std::pair<ExprPtr, std::int64_t>>> digits(const ExprPtr& e, const IndexSpace& space);

/// The same but for the names of what sums bind.
std::string key(const ExprPtr& e);

}  // namespace chalk::calculus
