// What augmentations draw: how often, and what it depends on.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation_testing.h"
#include "src/augmentations/augmenter.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using augmentation_testing::pictures;
using augmentation_testing::plain;
using augmentation_testing::seen;

/// Each picture of the data.
std::vector<std::vector<Byte>> each(const std::vector<Byte>& bytes, std::size_t size) {
  std::vector<std::vector<Byte>> all;
  for (std::size_t i = 0; i < bytes.size(); i += size) all.emplace_back(&bytes[i], &bytes[i] + size);
  return all;
}

/// How many pictures look like each of those that occur.
std::map<std::vector<Byte>, int> counts(const std::vector<Byte>& bytes, std::size_t size) {
  std::map<std::vector<Byte>, int> counts;
  for (const auto& picture : each(bytes, size)) ++counts[picture];
  return counts;
}

/// Pictures that are all the same one.
Dataset copies(std::size_t count, const Shape& shape, const std::vector<Byte>& picture) {
  auto data = plain(count, shape, 0);
  for (std::size_t i = 0; i < data.bytes.size(); ++i) data.bytes[i] = picture[i % picture.size()];
  return data;
}

constexpr std::size_t kMany = 20'000;

/// Within five standard deviations of what a coin of probability p gives.
testing::AssertionResult is_share(double count, double all, double p) {
  const double off = std::abs(count - all * p), deviation = std::sqrt(all * p * (1 - p));
  if (off <= 5 * deviation) return testing::AssertionSuccess();
  return testing::AssertionFailure() << count << " of " << all << ", not about " << all * p;
}

TEST(Draws, FlipAsOftenAsAsked) {
  const auto data = copies(kMany, {1, 1, 2}, {1, 2});
  for (const auto& [text, p] : {std::pair{"flip", 0.5}, {"flip:0.1", 0.1}, {"flip:0", 0.0}, {"flip:1", 1.0}}) {
    auto found = counts(seen(data, text), 2);
    EXPECT_TRUE(is_share(found[{2, 1}], kMany, p)) << text;
  }
  const auto high = copies(kMany, {1, 2, 1}, {1, 2});
  EXPECT_TRUE(is_share(counts(seen(high, "vflip:0.3"), 2)[{2, 1}], kMany, 0.3));
}

TEST(Draws, ShiftToEachPlaceAsOftenAsToAnother) {
  std::vector<Byte> dot(25);
  dot[12] = 1;
  const auto found = counts(seen(copies(kMany, {1, 5, 5}, dot), "shift:2"), 25);
  ASSERT_EQ(found.size(), 25U);
  for (const auto& [picture, count] : found) EXPECT_TRUE(is_share(count, kMany, 1.0 / 25));
}

TEST(Draws, CutOutAroundEachPixelAsOftenAsAroundAnother) {
  const auto found = counts(seen(plain(kMany, {1, 4, 4}, 9), "cutout:1"), 16);
  ASSERT_EQ(found.size(), 16U);
  for (const auto& [picture, count] : found) EXPECT_TRUE(is_share(count, kMany, 1.0 / 16));
  for (const auto& picture : each(seen(plain(200, {2, 4, 4}, 9), "cutout:4"), 32)) {
    const auto erased = std::count(picture.begin(), picture.end(), 0);
    EXPECT_TRUE(erased >= 2 * 2 * 2 && erased <= 2 * 4 * 4) << "clipped at most to a quarter in each channel";
  }
}

double share_of(const std::vector<Byte>& bytes, Byte value) {
  return static_cast<double>(std::count(bytes.begin(), bytes.end(), value)) / static_cast<double>(bytes.size());
}

TEST(Draws, EraseAndCropWhatTorchvisionDoesOnAverage) {
  EXPECT_NEAR(share_of(seen(plain(2000, {1, 32, 32}, 9), "erase:1"), 0), 0.173, 0.006);
  // A picture of columns 0 … 31 shows which share of the width a crop has.
  std::vector<Byte> columns(32 * 32);
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<Byte>(8 * (i % 32));
  auto rows = columns;
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Byte>(8 * (i / 32));
  double area = 0;
  const auto wide = seen(copies(2000, {1, 32, 32}, columns), "resized-crop"),
             high = seen(copies(2000, {1, 32, 32}, rows), "resized-crop");
  for (std::size_t i = 0; i < wide.size(); i += 1024) {
    const double width = (wide[i + 31] - wide[i]) / 8.0 + 1, height = (high[i + 1023] - high[i]) / 8.0 + 1;
    area += width * height / 1024 / 2000;
  }
  EXPECT_NEAR(area, 0.485, 0.012);
}

TEST(Draws, AreOthersInEachEpochForEachSampleAndSeed) {
  const auto data = copies(64, {3, 9, 9}, pictures(1, {3, 9, 9}).bytes);
  for (const auto* definition : all_augmentations()) {
    if (definition->mix) continue;  // which changes no picture that is mixed with the same
    const auto text = augmentation_testing::example_of(*definition);
    const auto first = seen(data, text);
    EXPECT_NE(first, data.bytes) << text;
    EXPECT_EQ(first, seen(data, text)) << text;
    EXPECT_NE(first, seen(data, text, 1)) << text;
    EXPECT_NE(first, seen(data, text, 0, 2)) << text;
    EXPECT_GT(counts(first, 243).size(), 1U) << text;
  }
}

TEST(Draws, DependOnNoOtherAugmentation) {
  const auto data = copies(kMany / 10, {1, 1, 2}, {1, 2});
  const auto flipped = seen(data, "flip");
  EXPECT_EQ(seen(data, "brightness:0,flip"), flipped);
  EXPECT_EQ(seen(data, "noise:0,flip,contrast:0"), flipped);
  EXPECT_NE(seen(data, "flip:0.4"), flipped);
}

TEST(Draws, OfTheSecondOfANameAreOthers) {
  const auto data = copies(kMany, {1, 1, 2}, {1, 2});
  EXPECT_TRUE(is_share(counts(seen(data, "flip,flip"), 2)[{1, 2}], kMany, 0.5)) << "or each would undo the other";
}

TEST(Augmenter, GivesEachSampleTheSameBytesOnAnyThreads) {
  const auto data = pictures(300, {3, 12, 10});
  const auto list = Augmentations::parse("flip,shift:3,rotate:20,blur,noise,hue:0.1,erase:1,fill=noise,cutout:5");
  const auto expected = augmented(data, list, 4, 2).bytes;
  for (const int memories : {1, 4}) {
    const Augmenter augmenter(data, list, 4, memories);
    std::vector<Byte> found(expected.size());
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint32_t row = 299 - t; row < 300; row -= 4) augmenter.augment(row, 2, &found[row * 360]);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(found == expected) << memories;
  }
}

TEST(Augmenter, LeavesTheDataAlone) {
  const auto data = pictures(20, {3, 8, 8});
  const auto before = data.bytes;
  const auto after = augmented(data, Augmentations::parse("noise,shift:2"), 1, 0);
  EXPECT_EQ(data.bytes, before);
  EXPECT_NE(after.bytes, before);
  EXPECT_EQ(after.labels, data.labels);
  EXPECT_EQ(augmented(data, {}, 1, 0).bytes, before);
}

TEST(Fill, IsWhatItSays) {
  const auto data = plain(2000, {2, 4, 4}, 9);
  const auto only = [&](const char* text) {
    std::set<Byte> values;
    for (const auto byte : seen(data, text)) values.insert(byte);
    values.erase(9);
    return values;
  };
  EXPECT_EQ(only("cutout:2"), std::set<Byte>{0});
  EXPECT_EQ(only("cutout:2,fill=white"), std::set<Byte>{255});
  EXPECT_EQ(only("cutout:2,fill=mean"), std::set<Byte>{100}) << "which enters the network as 0";
  EXPECT_EQ(only("cutout:2,fill=noise").size(), 255U);
  EXPECT_EQ(only("shift:2,fill=mean"), std::set<Byte>{100});
  EXPECT_EQ(only("shift:2,fill=noise").size(), 255U);
  EXPECT_EQ(only("shift:2,border=edge"), std::set<Byte>{});
  EXPECT_EQ(only("shift:2,border=reflect,fill=white"), std::set<Byte>{});
}

}  // namespace
}  // namespace chalk
