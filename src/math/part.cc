#include "src/math/part.h"

namespace chalk::math {

Trial& Part::trial(std::uint64_t seed, int number, double small) {
  auto& trial = trials[{number, small}];
  if (!trial) {
    const auto own = seed + 1000003ULL * static_cast<std::uint64_t>(number);
    trial = std::make_unique<Trial>(system, symbols, indices, own, small);
  }
  return *trial;
}

}  // namespace chalk::math
