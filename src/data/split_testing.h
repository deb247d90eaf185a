// What tests of sets that are read in several ways share: whether two of them are the same.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "chalkgrad/data.h"

namespace chalk {

/// All that is known of a set of pictures but where it is.
inline void expect_same(const Split& found, const Split& expected) {
  for (const auto& [a, b] : {std::pair(&found.train, &expected.train), std::pair(&found.test, &expected.test)}) {
    ASSERT_EQ(a->size(), b->size());
    EXPECT_EQ(a->scale, b->scale);
    EXPECT_EQ(a->shift, b->shift);
    EXPECT_EQ(a->digest(), b->digest());
    std::vector<std::uint8_t> one(static_cast<std::size_t>(elements(b->sample))), other(one.size());
    for (std::size_t i = 0; i < b->size(); ++i) {
      a->read(i, one.data());
      b->read(i, other.data());
      EXPECT_EQ(one, other) << i;
      EXPECT_EQ(a->file(i), b->file(i));
    }
    if (a->size() > 0) a->check();
  }
  EXPECT_EQ(found.skipped, expected.skipped);
  ASSERT_EQ(found.sizes.size(), expected.sizes.size());
  for (std::size_t i = 0; i < found.sizes.size(); ++i) {
    EXPECT_EQ(found.sizes[i].samples, expected.sizes[i].samples);
    EXPECT_EQ(found.sizes[i].rows, expected.sizes[i].rows);
    EXPECT_EQ(found.sizes[i].example, expected.sizes[i].example);
  }
}

}  // namespace chalk
