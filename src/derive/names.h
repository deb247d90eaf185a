// Letters for indices: each chain of equations is read with as few as it needs.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "src/derive/algebra.h"

namespace chalk::calculus {

/// Gives the indices of a chain letters: those left open the same ones in all of its formulas, those of sums as they
/// come. No letter is the name of a value.
class Letters {
 public:
  Letters(const IndexSpace& space, const std::map<std::string, ValueFacts>& values) : space_(space), values_(values) {}

  /// The formulas, in order, with letters.
  std::vector<ExprPtr> give(const std::vector<ExprPtr>& formulas);
  /// " for i=0..1": of open indices that no value has by themselves in the first two formulas that were given, or that
  /// run along a part of an axis.
  const std::string& ranges() const { return ranges_; }

 private:
  ExprPtr renamed(const ExprPtr& e, std::map<std::string, std::string>& names, std::set<std::string>& used);
  std::string letter(const std::string& index, const std::set<std::string>& used) const;

  const IndexSpace& space_;
  const std::map<std::string, ValueFacts>& values_;
  std::string ranges_;
};

}  // namespace chalk::calculus
