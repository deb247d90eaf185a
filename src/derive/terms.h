// One number of an equation, computed as one does it with a pencil.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/derive.h"
#include "src/math/expr.h"

namespace chalk::calculus {

/// Numbers of a value, or of the loss's derivative by it: row-major over axes that take an index.
struct Filled {
  Shape axes;
  const std::vector<double>* numbers = nullptr;
};
/// By name; `derivative`: ∂loss/∂value. Nothing for a name that is no value.
using NumbersOf = std::function<std::optional<Filled>(const std::string& name, bool derivative)>;

/// The entry of a chain whose left side is largest, by its last formula; nothing if a formula has a derivative in it
/// that is not the loss's, or is too much work. Throws Error if it is not what the left side is.
std::optional<DerivedEntry> entry_of(const DerivedChain& chain, const NumbersOf& numbers);

/// With four digits that count.
double rounded(double x);

}  // namespace chalk::calculus
