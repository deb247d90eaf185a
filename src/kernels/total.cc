#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/total.cc"
#include "src/kernels/total.h"

#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

void add_groups(const float* x, std::size_t count, float* total) {
  Lanes t = Lanes::load(total);
  for (std::size_t i = 0; i < count; ++i) t = t + Lanes::load(x + i * 16);
  t.store(total);
}

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

HWY_EXPORT(add_groups);

void add_groups(const float* x, std::size_t count, float* total) { HWY_DYNAMIC_DISPATCH(add_groups)(x, count, total); }

}  // namespace chalk
#endif
