#include "src/kernels/pool.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/pool.cc"
#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"
#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr std::int64_t kLanes = 16;

/// A row of windows. kPool: the size of windows if they are squares known to the compiler, else 0.
template <int kPool>
HWY_INLINE void scatter_row(const PoolShape& s, const float* y, const float* index, float* x) {
  const LaneTag d;
  const std::int64_t pool_h = kPool ? kPool : s.pool_h, pool_w = kPool ? kPool : s.pool_w;
  const std::int64_t windows = s.width / pool_w, row = s.width * kLanes;
  const auto zero = hn::Zero(d);
  for (std::int64_t q = 0; q < windows; ++q, y += kLanes, index += kLanes, x += pool_w * kLanes) {
    for (int part = 0; part < kLanes; part += kWidth) {
      const auto value = hn::Add(hn::Load(d, y + part), zero), place = hn::Load(d, index + part);
      for (std::int64_t a = 0; a < pool_h; ++a) {
        for (std::int64_t b = 0; b < pool_w; ++b) {
          const auto here = hn::Eq(place, hn::Set(d, static_cast<float>(a * pool_w + b)));
          hn::Store(hn::IfThenElseZero(here, value), d, x + a * row + b * kLanes + part);
        }
      }
    }
  }
  const std::int64_t left = (s.width - windows * pool_w) * kLanes;
  for (std::int64_t a = 0; a < pool_h && left > 0; ++a) std::fill_n(x + a * row, left, 0.0f);
}

void PoolScatter(const PoolShape& s, const float* y, const float* index, float* x) {
  const std::int64_t rows = s.height / s.pool_h, y_row = s.width / s.pool_w * kLanes, x_row = s.width * kLanes;
  const bool two = s.pool_h == 2 && s.pool_w == 2;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t p = 0; p < rows; ++p, y += y_row, index += y_row, x += s.pool_h * x_row) {
      two ? scatter_row<2>(s, y, index, x) : scatter_row<0>(s, y, index, x);
    }
    const std::int64_t left = (s.height - rows * s.pool_h) * x_row;
    std::fill_n(x, left, 0.0f);
    x += left;
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(PoolScatter);

void pool_scatter(const PoolShape& s, const float* y, const float* index, float* x) {
  CHALK_CHOSEN(PoolScatter)(s, y, index, x);
}

}  // namespace chalk
#endif
