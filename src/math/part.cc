#include "src/math/part.h"

namespace chalk::math {
namespace {

constexpr std::size_t kMostHeld = std::size_t{1} << 24;  // numbers, 128 MB: more are computed again,
constexpr std::size_t kMostOfOne = kMostHeld * 4;        // unless they are of the draw that is asked for

}  // namespace

Trial& Part::trial(std::uint64_t seed, int number, double small) {
  const std::pair asked{number, small};
  std::size_t held = 0;
  for (const auto& [key, each] : trials) held += each->size();
  if (held > kMostHeld) {
    std::erase_if(trials, [&](const auto& each) { return each.first != asked || each.second->size() > kMostOfOne; });
  }
  auto& trial = trials[asked];
  if (!trial) {
    const auto own = seed + 1000003ULL * static_cast<std::uint64_t>(number);
    trial = std::make_unique<Trial>(system, symbols, indices, own, small);
  }
  trial->spent(0);
  return *trial;
}

}  // namespace chalk::math
