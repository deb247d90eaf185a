// What belongs together in a derivation: a network, what is declared, and the numbers drawn for it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "src/math/symbols.h"
#include "src/math/system.h"

namespace chalk::math {

/// What a value that ≈ lets go to 0 is in the first draw.
inline constexpr double kSmall = 1e-3;

struct Part {
  std::string name;
  Symbols symbols;
  Indices indices;
  System system;
  std::map<std::pair<int, double>, std::unique_ptr<Trial>> trials;
  double much = 1 << 20;  // numbers: an equation that takes more is judged at some of its places

  /// The numbers of that draw; `small` is what a value that ≈ lets go to 0 is in it.
  Trial& trial(std::uint64_t seed, int number, double small);
};

}  // namespace chalk::math
