// The loop of the three convolution operations. Included once per instruction set (see lanes-inl.h).
#if defined(CHALKGRAD_OPS_CONV2D_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_CONV2D_INL_H_
#undef CHALKGRAD_OPS_CONV2D_INL_H_
#else
#define CHALKGRAD_OPS_CONV2D_INL_H_
#endif

#include <algorithm>

#include "src/ops/conv2d.h"
#include "src/ops/kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// Calls product(y, w, x) with flat indices for every product w·x of a convolution, for each y in order of
/// (channel, row, column) of w. Padding makes no product.
template <class F>
HWY_INLINE void conv2d_products(const Conv2dAttributes& a, const Shape& x, const Shape& w, const Shape& y, F product) {
  const auto groups = a.groups, filters = y[0] / groups, channels = w[1];
  for (std::int64_t o = 0; o < y[0]; ++o) {
    for (std::int64_t p = 0; p < y[1]; ++p) {
      for (std::int64_t q = 0; q < y[2]; ++q) {
        const auto at_y = (o * y[1] + p) * y[2] + q;
        for (std::int64_t c = 0; c < channels; ++c) {
          for (std::int64_t i = 0; i < w[2]; ++i) {
            const auto row = p * a.stride[0] + i * a.dilation[0] - a.padding[0];
            if (row < 0 || row >= x[1]) continue;
            for (std::int64_t j = 0; j < w[3]; ++j) {
              const auto column = q * a.stride[1] + j * a.dilation[1] - a.padding[1];
              if (column < 0 || column >= x[2]) continue;
              const auto from = o / filters * channels + c;
              product(at_y, ((o * channels + c) * w[2] + i) * w[3] + j, (from * x[1] + row) * x[2] + column);
            }
          }
        }
      }
    }
  }
}

/// The same for the reference, row by row: row(y, w, x, count, step) for products y + k, w, x + k·step, k < count. Each
/// y and each w sees them in the same order; but rows are long, and these loops short enough to be quick.
template <class F>
HWY_INLINE void conv2d_rows(const Conv2dAttributes& a, const Shape& x, const Shape& w, const Shape& y, F row) {
  const auto filters = y[0] / a.groups, channels = w[1], step = a.stride[1];
  for (std::int64_t o = 0; o < y[0]; ++o) {
    for (std::int64_t c = 0, at_w = o * channels * w[2] * w[3]; c < channels; ++c) {
      for (std::int64_t i = 0; i < w[2]; ++i) {
        for (std::int64_t j = 0; j < w[3]; ++j, ++at_w) {
          // 0 <= q·step + left < x[2]
          const auto left = j * a.dilation[1] - a.padding[1];
          const auto first = left >= 0 ? 0 : (-left + step - 1) / step;
          const auto end = std::min(y[2], left >= x[2] ? 0 : (x[2] - 1 - left) / step + 1);
          for (std::int64_t p = 0; p < y[1] && first < end; ++p) {
            const auto at_row = p * a.stride[0] + i * a.dilation[0] - a.padding[0];
            if (at_row < 0 || at_row >= x[1]) continue;
            const auto from = ((o / filters * channels + c) * x[1] + at_row) * x[2] + first * step + left;
            row((o * y[1] + p) * y[2] + first, at_w, from, end - first, step);
          }
        }
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
