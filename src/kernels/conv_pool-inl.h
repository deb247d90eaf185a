// The maximum of a window of z, and its place. Included once per instruction set, after <hwy/foreach_target.h>; hence
// no ordinary include guard.
#if defined(CHALKGRAD_CONV_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_POOL_INL_H_
#undef CHALKGRAD_CONV_POOL_INL_H_
#else
#define CHALKGRAD_CONV_POOL_INL_H_
#endif

#include <cstdint>

#include "src/kernels/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// The first maximum of a window whose first value is relu'd already (or not, if there is no relu) and its place. A
/// NaN counts as larger than any number. z may begin anywhere: lanes are
/// places of a row for one sample by itself.
template <int kPoolH, int kPoolW>
HWY_INLINE void pool_window(const float* z, std::int64_t z_row, std::int64_t pool_h, std::int64_t pool_w, LaneVec bias,
                            bool relu, LaneVec& best, LaneVec& place) {
  const LaneTag d;
  const std::int64_t rows = kPoolH ? kPoolH : pool_h, columns = kPoolW ? kPoolW : pool_w;
  // relu before the maximum is relu of the first value alone: after it, only a positive value can win.
  best = hn::Add(hn::LoadU(d, z), bias);
  if (relu) best = relu_vec(best);
  place = hn::Zero(d);
  auto any_nan = hn::Zero(d);  // NaN if one of the other values is (or if their sum is, which only costs time)
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = i == 0; j < columns; ++j) {
      const auto value = hn::Add(hn::LoadU(d, z + i * z_row + j * kLanes), bias);
      const auto larger = hn::Gt(value, best);
      any_nan = hn::Add(any_nan, value);
      best = hn::IfThenElse(larger, value, best);
      place = hn::IfThenElse(larger, hn::Set(d, static_cast<float>(i * columns + j)), place);
    }
  }
  if (HWY_LIKELY(hn::AllFalse(d, hn::IsNaN(any_nan)))) return;
  best = hn::Add(hn::LoadU(d, z), bias);
  if (relu) best = relu_vec(best);
  place = hn::Zero(d);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = i == 0; j < columns; ++j) {
      const auto value = hn::Add(hn::LoadU(d, z + i * z_row + j * kLanes), bias);
      const auto nan_wins = hn::AndNot(hn::IsNaN(best), hn::IsNaN(value));
      const auto larger = hn::Or(hn::Gt(value, best), nan_wins);
      best = hn::IfThenElse(larger, value, best);
      place = hn::IfThenElse(larger, hn::Set(d, static_cast<float>(i * columns + j)), place);
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
