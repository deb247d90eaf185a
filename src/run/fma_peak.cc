#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/run/fma_peak.cc"
#include "src/run/fma_peak.h"

#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

/// `rounds` times twelve independent fused multiply-adds: enough to hide the latency of four cycles on two units, few
/// enough for sixteen registers. Returns floating-point operations done; `sink` keeps them from being optimised away.
double fma_rounds(std::int64_t rounds, float* sink) {
  const LaneTag d;
  const auto b = hn::Set(d, 0.999999f), c = hn::Set(d, 1e-6f);
  // All different, and not known to the compiler: equal sums would be computed once.
  const auto start = [&](int i) HWY_ATTR { return hn::Set(d, *sink + 0.1f * static_cast<float>(i)); };
  auto s0 = start(0), s1 = start(1), s2 = start(2), s3 = start(3), s4 = start(4), s5 = start(5);
  auto s6 = start(6), s7 = start(7), s8 = start(8), s9 = start(9), s10 = start(10), s11 = start(11);
  for (std::int64_t i = 0; i < rounds; ++i) {
    s0 = fused(s0, b, c);
    s1 = fused(s1, b, c);
    s2 = fused(s2, b, c);
    s3 = fused(s3, b, c);
    s4 = fused(s4, b, c);
    s5 = fused(s5, b, c);
    s6 = fused(s6, b, c);
    s7 = fused(s7, b, c);
    s8 = fused(s8, b, c);
    s9 = fused(s9, b, c);
    s10 = fused(s10, b, c);
    s11 = fused(s11, b, c);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
              hn::Add(hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)), hn::Add(hn::Add(s8, s9), hn::Add(s10, s11))));
  *sink = hn::GetLane(sum) * 1e-3f;
  return 2.0 * 12 * kVecLanes * static_cast<double>(rounds);
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <vector>

#include "src/base/target.h"
#include "src/base/threads.h"
#include "src/run/rate.h"

namespace chalk {
namespace {
CHALK_EXPORT(fma_rounds);
}  // namespace

double fma_peak(int threads, double seconds) {
  choose_target();
  constexpr std::int64_t kRounds = 20000;  // between two looks at the clock
  struct alignas(64) Sink {
    float value = 0;
  };
  ThreadTeam team(threads);
  std::vector<Sink> sinks(static_cast<std::size_t>(threads));
  return rate(team, seconds, [&](int thread) {
    return CHALK_CHOSEN(fma_rounds)(kRounds, &sinks[static_cast<std::size_t>(thread)].value);
  });
}

}  // namespace chalk
#endif
