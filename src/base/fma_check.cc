#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/base/fma_check.cc"
#include "src/base/fma_check.h"

#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void lanes_multiply_add(const float* a, const float* b, const float* c, float* to) {
  fma(Lanes::load(a), Lanes::load(b), Lanes::load(c)).store(to);
}

void floats_multiply_add(const float* a, const float* b, const float* c, float* to) {
  for (int i = 0; i < 16; ++i) to[i] = fma(a[i], b[i], c[i]);
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk {
namespace {
CHALK_EXPORT(lanes_multiply_add);
CHALK_EXPORT(floats_multiply_add);

struct Case {
  float a, b, c, sum;
};
constexpr Case kCases[] = {
    {0x1.001p0F, 0x1.001p0F, -1, 0x1.0008p-11F},       // (1 + 2⁻¹²)² − 1: the product is no float
    {0x1.001p-18F, 0x1.ffe002p-7F, 1, 0x1.000002p0F},  // 1 + 2⁻²⁴ + 2⁻⁶⁰: just above a tie, in double a tie
    {0x1.001p-78F, 0x1.ffe002p-73F, 0x1p-130F, 0x1.00002p-130F},  // 2⁻¹³⁰ + 2⁻¹⁵⁰ + 2⁻¹⁸⁶: the same among subnormals
};
}  // namespace

MultiplyAdd multiply_add_of_lanes(Target target) { return lanes_multiply_add_copies[static_cast<int>(target)]; }
MultiplyAdd multiply_add_of_floats(Target target) { return floats_multiply_add_copies[static_cast<int>(target)]; }

bool rounds_once(MultiplyAdd f) {
  alignas(64) float a[16], b[16], c[16], to[16], sum[16];
  for (std::size_t i = 0; i < 16; ++i) {
    const auto& one = kCases[i / 2 % std::size(kCases)];
    const float sign = i % 2 == 0 ? 1.0F : -1.0F;
    a[i] = sign * one.a;
    b[i] = one.b;
    c[i] = sign * one.c;
    sum[i] = sign * one.sum;
  }
  f(a, b, c, to);
  return std::equal(to, to + 16, sum);
}

void check_multiply_add(Target target, MultiplyAdd f) {
  if (rounds_once(f)) return;
  throw Error(str("multiply-adds of ", target_name(target),
                  " round twice here, so that results would not be the same "
                  "bits as elsewhere; use other instructions, with CHALKGRAD_TARGET=",
                  target_name(Target::portable), " in the environment"));
}

}  // namespace chalk
#endif
