#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/chain.cc"
#include "src/kernels/chain.h"

#include <hwy/foreach_target.h>

#include "src/kernels/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

constexpr std::size_t kGroups = kChainGroups;
constexpr std::size_t kNearAhead = 64, kFarAhead = 128;  // lane groups that are asked for before their turn

/// What comes from memory is brought into the second cache, which can wait for more lines at a time than the first,
/// whose 24 (Zen 4) are not enough to read memory as fast as it is.
template <std::size_t kCount>
HWY_INLINE void fetch_ahead(Prefetch fetch, const float* from) {
  if (fetch == Prefetch::near) {
    CHALKGRAD_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) __builtin_prefetch(from + (kNearAhead + i) * 16);
  } else if (fetch == Prefetch::far) {
    CHALKGRAD_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) __builtin_prefetch(from + (kFarAhead + i) * 16, 0, 2);
  }
}

/// A chain's operand from a lane group on.
struct Operand {
  const float* from;
  std::size_t step;
  HWY_INLINE Lanes operator[](std::size_t i) const { return Lanes::load(from + i * step); }
};

/// v[i] = f(v[i], a[i]); an operand that serves all groups is loaded once.
template <std::size_t kCount, class F>
HWY_INLINE void each(Lanes (&v)[kCount], const Operand& a, const F& f) {
  if (a.step == 0) {
    const Lanes same = a[0];
    CHALKGRAD_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) v[i] = f(v[i], same);
  } else {
    CHALKGRAD_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) v[i] = f(v[i], Lanes::load(a.from + i * 16));
  }
}

template <std::size_t kCount, class F>
HWY_INLINE void each(Lanes (&v)[kCount], const F& f) {
  CHALKGRAD_UNROLL
  for (std::size_t i = 0; i < kCount; ++i) v[i] = f(v[i]);
}

/// The links on kCount groups from `first` on; of a single group only some lanes may enter sums.
template <std::size_t kCount>
HWY_NOINLINE void run_links(std::span<const Link> links, float* const* at, std::size_t first, const ChainSums& sums) {
  const Lanes zero(0.0f), one(1.0f);
  Lanes v[kCount];
  CHALKGRAD_UNROLL
  for (std::size_t i = 0; i < kCount; ++i) v[i] = zero;
  for (const Link& link : links) {
    float* const to = at[link.a] + first * link.a_step;
    const Operand a{to, link.a_step}, b{at[link.b] + first * link.b_step, link.b_step};
    // A chain of a few groups ends before that, perhaps in a page that is not there.
    if constexpr (kCount > 1) fetch_ahead<kCount>(link.fetch, to);
    switch (link.kind) {
      case LinkKind::load:
        each(v, a, [](Lanes, Lanes x) HWY_ATTR { return x; });
        break;
      case LinkKind::store:
        CHALKGRAD_UNROLL
        for (std::size_t i = 0; i < kCount; ++i) v[i].store(to + i * 16);
        break;
      case LinkKind::sum: {
        float* const total = at[link.a] + (first & (sums.sums - 1u)) * sums.step;
        if (kCount == 1 && sums.lanes < 16) {
          const ValidLanes valid = first_lanes(sums.lanes);
          const Lanes x = each_part([&](int p) HWY_ATTR { return hn::IfThenElseZero(valid.piece[p], v[0].v[p]); });
          (Lanes::load(total) + x).store(total);
          break;
        }
        CHALKGRAD_UNROLL
        for (std::size_t i = 0; i < kCount; ++i)
          (Lanes::load(total + i * sums.step) + v[i]).store(total + i * sums.step);
        break;
      }
      case LinkKind::add:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return x + y; });
        break;
      case LinkKind::sub:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return x - y; });
        break;
      case LinkKind::sub_of:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return y - x; });
        break;
      case LinkKind::mul:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return x * y; });
        break;
      case LinkKind::div:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return x / y; });
        break;
      case LinkKind::div_of:
        each(v, a, [](Lanes x, Lanes y) HWY_ATTR { return y / x; });
        break;
      case LinkKind::square:
        each(v, [](Lanes x) HWY_ATTR { return x * x; });
        break;
      case LinkKind::neg:
        each(v, [](Lanes x) HWY_ATTR { return -x; });
        break;
      case LinkKind::sqrt:
        each(v, [](Lanes x) HWY_ATTR { return sqrt(x); });
        break;
      case LinkKind::relu:
        each(v, [&](Lanes x) HWY_ATTR { return select(x < zero, zero, x); });
        break;
      case LinkKind::greater:
        each(v, a, [&](Lanes x, Lanes y) HWY_ATTR { return select(x > y, one, zero); });
        break;
      case LinkKind::less:
        each(v, a, [&](Lanes x, Lanes y) HWY_ATTR { return select(y > x, one, zero); });
        break;
      case LinkKind::choose:
        CHALKGRAD_UNROLL
        for (std::size_t i = 0; i < kCount; ++i) v[i] = select(v[i] == zero, b[i], a[i]);
        break;
      case LinkKind::keep:
        CHALKGRAD_UNROLL
        for (std::size_t i = 0; i < kCount; ++i) v[i] = select(a[i] == zero, b[i], v[i]);
        break;
      case LinkKind::replace:
        CHALKGRAD_UNROLL
        for (std::size_t i = 0; i < kCount; ++i) v[i] = select(a[i] == zero, v[i], b[i]);
        break;
    }
  }
}

void run_chain(std::span<const Link> links, float* const* at, std::size_t groups, const ChainSums& sums) {
  const std::size_t whole = sums.lanes < 16 ? groups - 1 : groups;
  const ChainSums all{.step = sums.step, .sums = sums.sums};
  std::size_t first = 0;
  for (; first + kGroups <= whole; first += kGroups) run_links<kGroups>(links, at, first, all);
  for (; first < whole; ++first) run_links<1>(links, at, first, all);
  if (whole < groups) run_links<1>(links, at, first, sums);
}

void fold_groups(float* groups) {
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      (Lanes::load(groups + i * 16) + Lanes::load(groups + (i + half) * 16)).store(groups + i * 16);
    }
  }
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_EXPORT(run_chain);
CHALK_EXPORT(fold_groups);

void run_chain(std::span<const Link> links, float* const* at, std::size_t groups, const ChainSums& sums) {
  CHALK_CHOSEN(run_chain)(links, at, groups, sums);
}

void fold_groups(float* groups) { CHALK_CHOSEN(fold_groups)(groups); }

}  // namespace chalk
#endif
