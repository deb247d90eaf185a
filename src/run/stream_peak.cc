#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/run/stream_peak.cc"
#include "src/run/stream_peak.h"

#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

/// a = b + scale · c, of `count` floats, a multiple of 16.
void triad(const float* b, const float* c, float scale, std::size_t count, float* a) {
  const LaneTag d;
  const auto s = hn::Set(d, scale);
  for (std::size_t i = 0; i < count; i += kVecLanes)
    hn::StoreU(fused(s, hn::LoadU(d, c + i), hn::LoadU(d, b + i)), d, a + i);
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <unistd.h>

#include <algorithm>

#include "src/base/target.h"
#include "src/run/rate.h"

namespace chalk {
namespace {
CHALK_EXPORT(triad);

/// Floats in an array: four times the last cache, as STREAM asks for, within limits. A system may not say how large it
/// is.
std::size_t floats_of_all() {
  constexpr std::size_t kLeast = std::size_t{32} << 20, kMost = std::size_t{128} << 20;
#ifdef _SC_LEVEL3_CACHE_SIZE
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#else
  const long cache = 0;
#endif
  return (cache > 0 ? std::clamp(4 * static_cast<std::size_t>(cache), kLeast, kMost) : kMost) / sizeof(float);
}
}  // namespace

StreamPeak::StreamPeak(int threads) : team_(threads), parts_(static_cast<std::size_t>(team_.size())) {
  choose_target();
  const std::size_t count = floats_of_all() / parts_.size() / 16 * 16;
  auto fill = [&](int thread) {  // each its own, so that pages are near it
    auto& part = parts_[static_cast<std::size_t>(thread)];
    part.a.assign(count, 0.0F);
    part.b.assign(count, 1.0F);
    part.c.assign(count, 2.0F);
  };
  team_.run(fill);
}

double StreamPeak::measure(double seconds) {
  return rate(team_, seconds, [&](int thread) {
    auto& part = parts_[static_cast<std::size_t>(thread)];
    CHALK_CHOSEN(triad)(part.b.data(), part.c.data(), 0.5F, part.a.size(), part.a.data());
    return 3.0 * sizeof(float) * static_cast<double>(part.a.size());
  });
}

}  // namespace chalk
#endif
