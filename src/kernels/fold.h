// Sums over samples, always in the same tree: lanes 16→8→4→2→1 (lane i with i + 8, then i + 4, …), then slots likewise.
#pragma once

#include <cstddef>

namespace chalk {

/// out[i] = Σ of the first `valid` lanes of x[i]; the other lanes count as 0, even if NaN. accumulate: out[i] += it.
void fold_lanes(const float* x, std::size_t count, int valid, bool accumulate, float* out);

/// Most slots that partial sums of a batch are kept in.
constexpr int kMaxSlots = 16;

/// out[i] = Σ_s slots[s · stride + i] for begin <= i < end over the first `used` slots.
void fold_slots(const float* slots, std::size_t stride, int used, std::size_t begin, std::size_t end, float* out);

/// The same tree for sums that are formed one after another: the slots in the order in which to form them, and to how
/// many of the sums kept so far, the latest first, each is then added.
struct FoldOrder {
  explicit FoldOrder(int used);
  struct Leaf {
    int slot, adds;
  };
  int slots;  // used
  Leaf leaves[kMaxSlots];
  static constexpr int kMostKept = 4;  // at a time
};

}  // namespace chalk
