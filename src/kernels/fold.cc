#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/fold.cc"
#include "src/kernels/fold.h"

#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"
#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void fold_lanes(const float* x, std::size_t count, int valid, bool accumulate, float* out) {
  const LaneTag d;
  const ValidLanes lanes = first_lanes(valid);
  for (std::size_t i = 0; i < count; i += kWidth) {
    alignas(64) float folds[kWidth];
    const std::size_t n = std::min<std::size_t>(kWidth, count - i);
    if (n == kWidth) {
      hn::Store(fold_sums(x + i * 16, lanes), d, folds);
    } else {
      alignas(64) float last[kWidth * 16] = {};
      std::copy_n(x + i * 16, n * 16, last);
      hn::Store(fold_sums(last, lanes), d, folds);
    }
    for (std::size_t k = 0; k < n; ++k) out[i + k] = accumulate ? out[i + k] + folds[k] : folds[k];
  }
}

void fold_slots(const float* slots, std::size_t stride, int used, std::size_t begin, std::size_t end, float* out) {
  std::size_t i = begin;
  for (; i + 16 <= end; i += 16) {
    Lanes t[kMaxSlots];
    for (int s = 0; s < used; ++s) t[s] = Lanes::load(slots + static_cast<std::size_t>(s) * stride + i);
    for (int half = kMaxSlots / 2; half > 0; half /= 2) {
      for (int s = 0; s < half && s + half < used; ++s) t[s] = t[s] + t[s + half];
    }
    t[0].store(out + i);
  }
  for (; i < end; ++i) {
    float t[kMaxSlots];
    for (int s = 0; s < used; ++s) t[s] = slots[static_cast<std::size_t>(s) * stride + i];
    for (int half = kMaxSlots / 2; half > 0; half /= 2) {
      for (int s = 0; s < half && s + half < used; ++s) t[s] += t[s + half];
    }
    out[i] = t[0];
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_EXPORT(fold_lanes);
CHALK_EXPORT(fold_slots);

namespace {

/// Appends the leaves of what folding leaves in slot s once the halves from kMaxSlots / 2 down to `half` are folded.
int append_leaves(int used, int s, int half, FoldOrder::Leaf* leaves, int count) {
  if (half == kMaxSlots) {
    leaves[count] = {s, 0};
    return count + 1;
  }
  count = append_leaves(used, s, 2 * half, leaves, count);
  if (s + half >= used) return count;
  count = append_leaves(used, s + half, 2 * half, leaves, count);
  ++leaves[count - 1].adds;
  return count;
}

}  // namespace

FoldOrder::FoldOrder(int used) : slots(used) { append_leaves(used, 0, 1, leaves, 0); }

void fold_lanes(const float* x, std::size_t count, int valid, bool accumulate, float* out) {
  CHALK_CHOSEN(fold_lanes)(x, count, valid, accumulate, out);
}
void fold_slots(const float* slots, std::size_t stride, int used, std::size_t begin, std::size_t end, float* out) {
  CHALK_CHOSEN(fold_slots)(slots, stride, used, begin, end, out);
}

}  // namespace chalk
#endif
