#include "src/base/read_ahead.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "chalkgrad/error.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

constexpr std::size_t kItem = 24;

void write(std::uint64_t number, std::uint8_t* to) {
  for (std::size_t i = 0; i < kItem; ++i) to[i] = static_cast<std::uint8_t>(number * 7 + i);
}

bool is(std::uint64_t number, const std::uint8_t* item) {
  std::uint8_t expected[kItem];
  write(number, expected);
  return std::memcmp(item, expected, kItem) == 0;
}

TEST(ReadAhead, GivesEachItemWhateverTheNumberOfThreadsAndTheRoom) {
  for (const int threads : {0, 1, 3}) {
    for (const std::size_t room : {1, 2, 7, 200}) {
      std::atomic<int> made{0};
      ReadAhead ahead({.item = kItem, .items = room, .end = 100}, threads, [&](std::uint64_t i, std::uint8_t* to) {
        ++made;
        write(i, to);
      });
      for (std::uint64_t i = 0; i < 100; ++i) {
        ASSERT_TRUE(is(i, ahead.item(i))) << i << " of " << threads << " threads, room for " << room;
        ahead.go_to(i + 1);
      }
      EXPECT_EQ(made, 100);  // each once
    }
  }
}

TEST(ReadAhead, MakesNoMoreThanThereIsRoomFor) {
  std::atomic<std::uint64_t> most{0};
  ReadAhead ahead({.item = kItem, .items = 5, .end = 1000}, 2, [&](std::uint64_t i, std::uint8_t* to) {
    for (auto known = most.load(); known < i && !most.compare_exchange_weak(known, i);) {
    }
    write(i, to);
  });
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(is(i, ahead.item(i)));
    EXPECT_LT(most, i + 5);
    ahead.go_to(i + 1);
  }
}

TEST(ReadAhead, MakesAnItemWithoutRoomForTheCaller) {
  ReadAhead ahead({.item = kItem, .items = 4, .end = 100}, 1, write);
  std::uint8_t item[kItem];
  for (const std::uint64_t i : {99, 3, 50, 0, 2}) {
    ahead.read(i, item);
    EXPECT_TRUE(is(i, item)) << i;
  }
  EXPECT_GT(ahead.seconds_waited(), 0);
}

TEST(ReadAhead, GoesBack) {
  ReadAhead ahead({.item = kItem, .items = 4, .end = 100}, 2, write);
  for (const std::uint64_t i : {40, 41, 3, 90, 0, 1, 99}) {
    ahead.go_to(i);
    for (auto k = i; k < std::min<std::uint64_t>(i + 4, 100); ++k) EXPECT_TRUE(is(k, ahead.item(k))) << k;
  }
}

TEST(ReadAhead, ThrowsWhatMakingAnItemThrewWhereThatItemIsRead) {
  for (const int threads : {0, 2}) {
    ReadAhead ahead({.item = kItem, .items = 8, .end = 20}, threads, [](std::uint64_t i, std::uint8_t* to) {
      if (i == 5) throw InputError("item 5 is gone");
      write(i, to);
    });
    std::uint8_t item[kItem];
    for (std::uint64_t i = 0; i < 5; ++i) ahead.read(i, item);
    EXPECT_EQ(testing_support::input_error([&] { ahead.read(5, item); }), "item 5 is gone");
    EXPECT_EQ(testing_support::input_error([&] { ahead.read(5, item); }), "item 5 is gone");  // again
    ahead.read(6, item);
    EXPECT_TRUE(is(6, item));
    ahead.go_to(13);  // its place has another item now
    ahead.read(13, item);
    EXPECT_TRUE(is(13, item));
  }
}

TEST(ReadAhead, MayBeReadByManyAtOnce) {
  constexpr std::uint64_t kBatch = 16;
  ReadAhead ahead({.item = kItem, .items = 3 * kBatch, .end = 30 * kBatch}, 2, write);
  std::atomic<int> wrong{0};
  for (std::uint64_t first = 0; first < 30 * kBatch; first += kBatch) {
    ahead.go_to(first);
    std::vector<std::thread> readers;
    for (std::uint64_t reader = 0; reader < 3; ++reader) {
      readers.emplace_back([&, reader] {
        std::uint8_t item[kItem];
        for (auto i = first + reader; i < first + kBatch; i += 3) {
          ahead.read(i, item);
          if (!is(i, item)) ++wrong;
        }
      });
    }
    for (auto& reader : readers) reader.join();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace chalk
