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

void take_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                const float* shift, float* to) {
  const LaneTag d;
  const IntTag wide;
  const hn::Rebind<std::uint8_t, LaneTag> narrow;
  for (std::size_t c = 0; c < channels; ++c, from += plane, to += plane) {
    const auto times = hn::Set(d, scale[c]), plus = hn::Set(d, shift[c]);
    std::size_t i = 0;
    for (; i + kVecLanes <= plane; i += kVecLanes) {
      const auto bytes = hn::ConvertTo(d, hn::PromoteTo(wide, hn::LoadU(narrow, from + i)));
      hn::StoreU(fused(bytes, times, plus), d, to + i);
    }
    for (; i < plane; ++i) to[i] = fma(static_cast<float>(from[i]), scale[c], shift[c]);
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
