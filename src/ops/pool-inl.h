// The loops over pooling windows. Included once per instruction set (see lanes-inl.h).
#if defined(CHALKGRAD_OPS_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_POOL_INL_H_
#undef CHALKGRAD_OPS_POOL_INL_H_
#else
#define CHALKGRAD_OPS_POOL_INL_H_
#endif

#include <algorithm>

#include "src/ops/kernel-inl.h"
#include "src/ops/pool.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// The part of one window that lies on x. It is never empty, since the padding is smaller than the window.
struct PoolWindow {
  std::int64_t top, bottom, left, right;  // rows [top, bottom) and columns [left, right) of the window
  std::int64_t columns;                   // of the whole window
  std::int64_t origin, row;               // x's place of the window's (0, 0), and from row to row
};

/// Calls f(place in the window, place of x) for each place of a window that lies on x, row-major.
template <class F>
HWY_INLINE void each_place(const PoolWindow& w, F f) {
  for (auto i = w.top; i < w.bottom; ++i) {
    for (auto j = w.left; j < w.right; ++j) f(i * w.columns + j, w.origin + i * w.row + j);
  }
}

/// Calls f(place of y, its window) for each place of y in some channels, row-major.
template <class S, class F>
HWY_INLINE void pool_windows(const PoolAttributes& a, const S& x, const S& y, const Interval& channels, F f) {
  std::int64_t i = channels.begin * y[1] * y[2];
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    for (std::int64_t p = 0; p < y[1]; ++p) {
      const auto down = p * a.stride[0] - a.padding[0];
      for (std::int64_t q = 0; q < y[2]; ++q, ++i) {
        const auto right = q * a.stride[1] - a.padding[1];
        f(i, PoolWindow{std::max<std::int64_t>(0, -down), std::min(a.window[0], x[1] - down),
                        std::max<std::int64_t>(0, -right), std::min(a.window[1], x[2] - right), a.window[1],
                        (c * x[1] + down) * x[2] + right, x[2]});
      }
    }
  }
}

/// y[i] = value(x, window of y[i]).
template <class T, class F>
HWY_INLINE void pool(const Args<T>& a, F value) {
  const Shape &x = a.shape(0), &y = a.shape();
  const auto in = a.in(0);
  pool_windows(a.template attributes<PoolAttributes>(), x, y, a.call.share.of(y[0]),
               [&](std::int64_t i, const PoolWindow& w) HWY_ATTR { a.out(i, value(in, w)); });
}

template <class X>
HWY_INLINE auto first_maximum(const X& x, const PoolWindow& w) {
  using T = decltype(x[0]);
  Maximum<T> most(x[w.origin + w.top * w.row + w.left], T(static_cast<float>(w.top * w.columns + w.left)));
  each_place(w, [&](std::int64_t place, std::int64_t at) HWY_ATTR { most.offer(x[at], T(static_cast<float>(place))); });
  return most;
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
