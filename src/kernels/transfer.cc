#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/transfer.cc"
#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"
#include "src/kernels/fold-inl.h"
#include "src/kernels/transfer.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

/// to[i][n] = load(n, i)[0] for sixteen rows n and i < count, where load(n, i) reads kWidth values of a row from i on
/// and one(n, i) a single one.
template <class Load, class One>
HWY_INLINE void rows_to_lanes(std::size_t count, float* to, const Load& load, const One& one) {
  const LaneTag d;
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    for (std::size_t part = 0; part < 16; part += kWidth) {
      LaneVec v[kWidth];
      CHALKGRAD_UNROLL
      for (std::size_t n = 0; n < kWidth; ++n) v[n] = load(part + n, i);
      transpose_vectors(v);
      CHALKGRAD_UNROLL
      for (std::size_t k = 0; k < kWidth; ++k) hn::Store(v[k], d, to + (i + k) * 16 + part);
    }
  }
  for (; i < count; ++i) {
    for (std::size_t n = 0; n < 16; ++n) to[i * 16 + n] = one(n, i);
  }
}

void gather_values(const float* from, std::size_t count, LaneRows rows, float* to) {
  const float* row[16];
  for (std::size_t n = 0; n < 16; ++n) row[n] = from + std::size_t{rows[n]} * count;
  rows_to_lanes(
      count, to, [&](std::size_t n, std::size_t i) HWY_ATTR { return hn::LoadU(LaneTag(), row[n] + i); },
      [&](std::size_t n, std::size_t i) { return row[n][i]; });
}

/// `count` bytes of each row from `first` on, with factor(i) and offset(i) for the vector from i on.
template <class Factor, class Offset>
HWY_INLINE void gather_scaled(const std::uint8_t* first, std::size_t count, std::size_t row_bytes, LaneRows rows,
                              const float* scale, const float* shift, std::size_t step, float* to, const Factor& factor,
                              const Offset& offset) {
  const LaneTag d;
  const hn::Rebind<std::uint8_t, LaneTag> bytes;
  const hn::Rebind<std::int32_t, LaneTag> integers;
  const std::uint8_t* row[16];
  for (std::size_t n = 0; n < 16; ++n) row[n] = first + std::size_t{rows[n]} * row_bytes;
  rows_to_lanes(
      count, to,
      [&](std::size_t n, std::size_t i) HWY_ATTR {
        const auto value = hn::ConvertTo(d, hn::PromoteTo(integers, hn::LoadU(bytes, row[n] + i)));
        return fused(value, factor(i), offset(i));
      },
      [&](std::size_t n, std::size_t i)
          HWY_ATTR { return fma(static_cast<float>(row[n][i]), scale[i * step], shift[i * step]); });
}

void gather_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                  const float* shift, LaneRows rows, float* to) {
  const LaneTag d;
  if (plane == 1) {  // a scale for each value
    gather_scaled(
        from, channels, channels, rows, scale, shift, 1, to,
        [&](std::size_t i) HWY_ATTR { return hn::LoadU(d, scale + i); },
        [&](std::size_t i) HWY_ATTR { return hn::LoadU(d, shift + i); });
    return;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const auto factor = hn::Set(d, scale[c]), offset = hn::Set(d, shift[c]);
    gather_scaled(
        from + c * plane, plane, channels * plane, rows, scale + c, shift + c, 0, to + c * plane * 16,
        [&](std::size_t) HWY_ATTR { return factor; }, [&](std::size_t) HWY_ATTR { return offset; });
  }
}

/// to[i] = from[i] · scale[i] + shift[i], or with the one scale and shift there are.
template <bool kOwn>
void take_plane(const std::uint8_t* from, std::size_t count, const float* scale, const float* shift, float* to) {
  const LaneTag d;
  const hn::Rebind<std::uint8_t, LaneTag> narrow;
  const auto one_scale = hn::Set(d, *scale), one_shift = hn::Set(d, *shift);
  std::size_t i = 0;
  for (; i + kVecLanes <= count; i += kVecLanes) {
    const auto bytes = hn::ConvertTo(d, hn::PromoteTo(IntTag(), hn::LoadU(narrow, from + i)));
    const auto times = kOwn ? hn::LoadU(d, scale + i) : one_scale, plus = kOwn ? hn::LoadU(d, shift + i) : one_shift;
    hn::StoreU(fused(bytes, times, plus), d, to + i);
  }
  for (; i < count; ++i) to[i] = fma(static_cast<float>(from[i]), scale[kOwn ? i : 0], shift[kOwn ? i : 0]);
}

void take_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                const float* shift, float* to) {
  if (plane == 1) return take_plane<true>(from, channels, scale, shift, to);
  for (std::size_t c = 0; c < channels; ++c) {
    take_plane<false>(from + c * plane, plane, scale + c, shift + c, to + c * plane);
  }
}

void scale_channels(std::size_t channels, std::size_t width, const float* scale, const float* shift, float* to) {
  const LaneTag d;
  for (std::size_t c = 0; c < channels; ++c, to += width) {
    const auto factor = hn::Set(d, scale[c]), offset = hn::Set(d, shift[c]);
    std::size_t i = 0;
    for (; i + kWidth <= width; i += kWidth) hn::StoreU(fused(hn::LoadU(d, to + i), factor, offset), d, to + i);
    for (; i < width; ++i) to[i] = fma(to[i], scale[c], shift[c]);
  }
}

/// to[i] lanes = to[i] · scale[n] + shift[n] in lane n.
void scale_lanes(std::size_t count, const float* scale, const float* shift, float* to) {
  const LaneTag d;
  for (std::size_t part = 0; part < 16; part += kWidth) {
    const auto factor = hn::LoadU(d, scale + part), offset = hn::LoadU(d, shift + part);
    for (std::size_t i = part; i < count * 16; i += 16)
      hn::StoreU(fused(hn::LoadU(d, to + i), factor, offset), d, to + i);
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_EXPORT(gather_values);
CHALK_EXPORT(gather_bytes);
CHALK_EXPORT(take_bytes);
CHALK_EXPORT(scale_channels);
CHALK_EXPORT(scale_lanes);

namespace {

template <class T>
void standardise_rows(const T* from, std::size_t count, LaneRows rows, float* to) {
  float scale[16], shift[16];
  for (std::size_t n = 0; n < 16; ++n) {
    const bool again = n > 0 && rows[n] == rows[n - 1];  // as in lanes beyond the last sample
    const auto own =
        again ? Affine{scale[n - 1], shift[n - 1]} : standardising(from + std::size_t{rows[n]} * count, count);
    scale[n] = own.scale;
    shift[n] = own.shift;
  }
  CHALK_CHOSEN(scale_lanes)(count, scale, shift, to);
}

template <class T>
void standardise(const T* from, std::size_t count, float* to) {
  const auto own = standardising(from, count);
  scale_channels(1, count, &own.scale, &own.shift, to);
}

}  // namespace

void scale_channels(std::size_t channels, std::size_t width, const float* scale, const float* shift, float* to) {
  CHALK_CHOSEN(scale_channels)(channels, width, scale, shift, to);
}

void standardise_lanes(const float* from, std::size_t count, LaneRows rows, float* to) {
  standardise_rows(from, count, rows, to);
}
void standardise_lanes(const std::uint8_t* from, std::size_t count, LaneRows rows, float* to) {
  standardise_rows(from, count, rows, to);
}
void standardise_one(const float* from, std::size_t count, float* to) { standardise(from, count, to); }
void standardise_one(const std::uint8_t* from, std::size_t count, float* to) { standardise(from, count, to); }

void gather_values(const float* from, std::size_t count, LaneRows rows, float* to) {
  CHALK_CHOSEN(gather_values)(from, count, rows, to);
}

void gather_channels(const float* from, std::size_t plane, int channels, float* to) {
  std::uint32_t rows[16];
  for (int n = 0; n < 16; ++n) rows[n] = static_cast<std::uint32_t>(std::min(n, channels - 1));
  gather_values(from, plane, rows, to);
}

void gather_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                  const float* shift, LaneRows rows, float* to) {
  CHALK_CHOSEN(gather_bytes)(from, channels, plane, scale, shift, rows, to);
}

void gather_labels(const std::int32_t* from, std::size_t classes, LaneRows rows, float* to) {
  for (std::size_t i = 0; i < classes; ++i) {
    for (std::size_t n = 0; n < 16; ++n) to[i * 16 + n] = from[rows[n]] == static_cast<std::int32_t>(i) ? 1.0f : 0.0f;
  }
}

void take_values(const float* from, std::size_t count, float* to) { std::memcpy(to, from, count * sizeof(float)); }

void take_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                const float* shift, float* to) {
  CHALK_CHOSEN(take_bytes)(from, channels, plane, scale, shift, to);
}

void take_label(std::int32_t label, std::size_t classes, float* to) {
  for (std::size_t i = 0; i < classes; ++i) to[i] = label == static_cast<std::int32_t>(i) ? 1.0f : 0.0f;
}

void scatter_values(const float* from, std::size_t count, int valid, float* to) {
  for (std::size_t n = 0; n < static_cast<std::size_t>(valid); ++n) {
    for (std::size_t i = 0; i < count; ++i) to[n * count + i] = from[i * 16 + n];
  }
}

}  // namespace chalk
#endif
