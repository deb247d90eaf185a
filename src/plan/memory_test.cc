#include "src/plan/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "src/base/sanitizer.h"

namespace chalk {
namespace {

bool overlap(const Lifetime& a, const Lifetime& b) {
  const bool in_time = a.first <= b.last && b.first <= a.last;
  const bool in_place = a.offset < b.offset + b.size && b.offset < a.offset + a.size;
  return in_time && in_place;
}

RC_GTEST_PROP(Book, GivesNoTwoLivingValuesTheSamePlace, ()) {
  std::vector<Lifetime> values(*rc::gen::inRange<std::size_t>(0, 40));
  for (auto& value : values) {
    value.size = *rc::gen::inRange<std::size_t>(1, 200);
    value.first = *rc::gen::inRange(0, 30);
    value.last = value.first + *rc::gen::inRange(0, 30);
  }
  const auto total = book(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    RC_ASSERT(values[i].offset % 16 == 0);
    RC_ASSERT(values[i].offset + values[i].size <= total);
    for (std::size_t j = 0; j < i; ++j) RC_ASSERT(!overlap(values[i], values[j]));
  }
}

#if !CHALK_ASAN
TEST(Book, SharesPlacesOfValuesThatDoNotMeet) {
  std::vector<Lifetime> chain(100, Lifetime{160, 0, 0, 0});
  for (int i = 0; i < 100; ++i)
    chain[static_cast<std::size_t>(i)].first = i, chain[static_cast<std::size_t>(i)].last = i + 1;
  EXPECT_EQ(book(chain), 320U);
}
#endif

}  // namespace
}  // namespace chalk
