// The loop of a reduction. Included once per instruction set (see lanes-inl.h).
#if defined(CHALKGRAD_OPS_REDUCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_REDUCE_INL_H_
#undef CHALKGRAD_OPS_REDUCE_INL_H_
#else
#define CHALKGRAD_OPS_REDUCE_INL_H_
#endif

#include "src/ops/kernel-inl.h"
#include "src/ops/reduce.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// Calls f(place of x) for each place that place i of y is made from, row-major.
template <class F>
HWY_INLINE void each_place(const Reduction& r, std::int64_t i, F f) {
  const auto first = r.first(i), size = r.size();
  for (std::int64_t k = 0; k < size; ++k) f(first + r.step(k));
}

/// The sum of the places that place i of y is made from: the k-th enters partial sum k mod 16, and these fold in a tree
/// as lanes do, 16 → 8 → 4 → 2 → 1. (Sweeps sum in the same order: src/plan/sweep_kernel.cc.)
template <class T>
HWY_INLINE T total(const In<T>& x, const Reduction& r, std::int64_t i) {
  T sums[16];
  for (auto& sum : sums) sum = T(0);
  std::size_t k = 0;
  each_place(r, i, [&](std::int64_t at) HWY_ATTR {
    sums[k] = sums[k] + x[at];
    k = (k + 1) % 16;
  });
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t n = 0; n < half; ++n) sums[n] = sums[n] + sums[n + half];
  }
  return sums[0];
}

/// The maximum of the places that place i of y is made from. NaN if any is.
template <class T>
HWY_INLINE T largest(const In<T>& x, const Reduction& r, std::int64_t i) {
  Maximum<T> most(x[r.first(i)], T(0));
  each_place(r, i, [&](std::int64_t at) HWY_ATTR { most.offer(x[at], T(0)); });
  return most.value;
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
