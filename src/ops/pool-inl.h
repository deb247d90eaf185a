// The loops over pooling windows. Included once per instruction set (see lanes-inl.h).
#if defined(CHALKGRAD_OPS_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_POOL_INL_H_
#undef CHALKGRAD_OPS_POOL_INL_H_
#else
#define CHALKGRAD_OPS_POOL_INL_H_
#endif

#include <algorithm>
#include <array>
#include <type_traits>

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

/// Sixteen channels of one sample as lanes, the last of them again where there are fewer.
struct ChannelLanes {
  const float* data;
  hn::Vec<IntTag> planes[kParts];

  ChannelLanes(const float* first, std::int64_t plane, std::int64_t channels) : data(first) {
    alignas(64) std::int32_t at[16];
    for (std::int64_t n = 0; n < 16; ++n) at[n] = static_cast<std::int32_t>(std::min(n, channels - 1) * plane);
    for (int p = 0; p < kParts; ++p) planes[p] = hn::Load(IntTag(), at + p * kVecLanes);
  }
  HWY_INLINE Lanes operator[](std::int64_t i) const {
    return each_part([&](int p) HWY_ATTR { return hn::GatherIndex(LaneTag(), data + i, planes[p]); });
  }
};

/// y[i] = value(x, window of y[i]). `value` takes x as In<T>; or, of one sample, as ChannelLanes.
template <class T, class F>
HWY_INLINE void pool(const Args<T>& a, F value) {
  const auto& attributes = a.template attributes<PoolAttributes>();
  const Shape &x = a.shape(0), &y = a.shape();
  const auto in = a.in(0);
  if constexpr (std::is_same_v<T, float>) {
    const std::array<std::int64_t, 3> x_one{1, x[1], x[2]}, y_one{1, y[1], y[2]};
    const std::int64_t x_plane = x[1] * x[2], y_plane = y[1] * y[2];
    const Interval share = a.call.share.of(y[0], 16);
    for (std::int64_t c = share.begin; c < share.end; c += 16) {
      const auto channels = std::min<std::int64_t>(16, share.end - c);
      const ChannelLanes lanes(in.data + c * x_plane, x_plane, channels);
      pool_windows(attributes, x_one, y_one, {0, 1}, [&](std::int64_t i, const PoolWindow& w) HWY_ATTR {
        alignas(64) float made[16];
        value(lanes, w).store(made);
        for (std::int64_t n = 0; n < channels; ++n) a.out((c + n) * y_plane + i, made[n]);
      });
    }
  } else {
    pool_windows(attributes, x, y, a.call.share.of(y[0]),
                 [&](std::int64_t i, const PoolWindow& w) HWY_ATTR { a.out(i, value(in, w)); });
  }
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
