#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/transfer.cc"
#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"
#include "src/kernels/transfer.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void gather_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                  const float* shift, LaneRows rows, float* to) {
  const std::uint8_t* row[16];
  for (std::size_t n = 0; n < 16; ++n) row[n] = from + std::size_t{rows[n]} * channels * plane;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = c * plane; i < (c + 1) * plane; ++i) {
      alignas(64) float bytes[16];
      for (std::size_t n = 0; n < 16; ++n) bytes[n] = static_cast<float>(row[n][i]);
      fma(Lanes::load(bytes), Lanes(scale[c]), Lanes(shift[c])).store(to + i * 16);
    }
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

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

HWY_EXPORT(gather_bytes);
HWY_EXPORT(take_bytes);

void gather_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                  const float* shift, LaneRows rows, float* to) {
  HWY_DYNAMIC_DISPATCH(gather_bytes)(from, channels, plane, scale, shift, rows, to);
}

void gather_values(const float* from, std::size_t count, LaneRows rows, float* to) {
  for (std::size_t n = 0; n < 16; ++n) {
    const float* row = from + std::size_t{rows[n]} * count;
    for (std::size_t i = 0; i < count; ++i) to[i * 16 + n] = row[i];
  }
}

void gather_labels(const std::int32_t* from, std::size_t classes, LaneRows rows, float* to) {
  for (std::size_t i = 0; i < classes; ++i) {
    for (std::size_t n = 0; n < 16; ++n) to[i * 16 + n] = from[rows[n]] == static_cast<std::int32_t>(i) ? 1.0f : 0.0f;
  }
}

void take_values(const float* from, std::size_t count, float* to) { std::memcpy(to, from, count * sizeof(float)); }

void take_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                const float* shift, float* to) {
  HWY_DYNAMIC_DISPATCH(take_bytes)(from, channels, plane, scale, shift, to);
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
