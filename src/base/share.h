// Work that threads do side by side: each has a share of it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace chalk {

/// Half-open.
struct Interval {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return std::max<std::int64_t>(end - begin, 0); }
  /// What of it lies among `count` things from `first` on, counted from there.
  Interval among(std::int64_t first, std::int64_t count) const {
    return {std::max<std::int64_t>(begin - first, 0), std::min(end - first, count)};
  }
};

/// The whole, or one of `count` nearly equal parts of it.
struct Share {
  int index = 0, count = 1;

  /// Which of n things it has; shares begin at multiples of `grain`.
  Interval of(std::int64_t n, std::int64_t grain = 1) const {
    const std::int64_t grains = (n + grain - 1) / grain;
    const auto at = [&](int i) { return std::min(n, grains * i / count * grain); };
    return {at(index), at(index + 1)};
  }
};

/// The least products of a share: some five microseconds' work, as threads wait for each other after each, which takes
/// a microsecond or more. Tests lower it, so that small networks are shared, too.
inline std::int64_t least_share = 1 << 14;

/// Among how many threads work is worth dividing. `products`: multiply-adds of lane groups that it takes, or lane
/// groups that go to and from memory; `pieces`: how many there are to share.
inline int worth_sharing(std::int64_t products, std::int64_t pieces) {
  return static_cast<int>(std::clamp<std::int64_t>(std::min(products / least_share, pieces), 1, 1024));
}

}  // namespace chalk
