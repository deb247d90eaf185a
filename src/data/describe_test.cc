#include "chalkgrad/describe.h"

#include <cmath>

#include "src/base/random.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::input_error;

/// Pictures of 16×16: blocks of random levels, with a little noise.
Dataset drawn(std::size_t samples, int channels, std::uint64_t seed) {
  Dataset data;
  data.name = "drawn";
  data.sample = {channels, 16, 16};
  data.class_names = {"a", "b"};
  Random random(seed, 1);
  for (std::size_t i = 0; i < samples; ++i) {
    for (int c = 0; c < channels; ++c) {
      std::vector<std::uint32_t> blocks;
      for (int b = 0; b < 16; ++b) blocks.push_back(random.below(250));
      for (std::size_t p = 0; p < 256; ++p) {
        data.bytes.push_back(static_cast<std::uint8_t>(blocks[p / 64 * 4 + p % 16 / 4] + random.below(4)));
      }
    }
    data.labels.push_back(static_cast<std::int32_t>(i % 2));
  }
  return data;
}

void copy_sample(const Dataset& from, std::size_t i, Dataset& to, std::size_t j, int change = 0) {
  const auto each = static_cast<std::size_t>(elements(from.sample));
  for (std::size_t k = 0; k < each; ++k) {
    to.bytes[j * each + k] = static_cast<std::uint8_t>(from.bytes[i * each + k] ^ (k % 3 == 0 ? change : 0));
  }
}

TEST(Describe, CountsAndStatistics) {
  Split split;
  split.train.sample = {2, 1, 2};
  split.train.class_names = {"a", "b", "c"};
  split.train.bytes = {0, 2, 10, 10, 4, 6, 10, 10};
  split.train.labels = {0, 2};
  const auto found = describe(split);
  EXPECT_EQ(found.train.samples, 2);
  EXPECT_EQ(found.test.samples, 0);
  EXPECT_THAT(found.train.of_class, ElementsAre(1, 0, 1));
  ASSERT_EQ(found.train.channels.size(), 2U);
  EXPECT_EQ(found.train.channels[0].mean, 3);
  EXPECT_EQ(found.train.channels[0].deviation, std::sqrt(5.0));
  EXPECT_EQ(found.train.channels[0].least, 0);
  EXPECT_EQ(found.train.channels[0].most, 6);
  EXPECT_EQ(found.train.channels[1].deviation, 0);
  EXPECT_THAT(found.train.plain, IsEmpty());
  EXPECT_THAT(found.twins, IsEmpty());
}

TEST(Describe, VectorsHaveAStatisticForEachElement) {
  Split split;
  split.test.sample = {3};
  split.test.values = {1, 2, 3, 3, 2, 7, 1, 2, 3};
  split.test.targets = {0, 1, 2};
  split.test.target = {1};
  const auto found = describe(split);
  ASSERT_EQ(found.test.channels.size(), 3U);
  EXPECT_EQ(found.test.channels[2].most, 7);
  ASSERT_EQ(found.twins.size(), 1U);
  EXPECT_TRUE(found.twins[0].exact);
  EXPECT_FALSE(found.twins[0].same_label) << "its target is another";
  EXPECT_EQ(found.twins[0].second.text, "test sample 2");
}

TEST(Describe, FindsEqualOnesAcrossAndWithinParts) {
  Split split{drawn(60, 3, 1), drawn(20, 3, 2)};
  EXPECT_THAT(describe(split).twins, IsEmpty());
  copy_sample(split.train, 7, split.test, 4);
  copy_sample(split.train, 7, split.train, 20);
  split.train.files.resize(60);
  split.train.files[7] = "cat/7.png";
  split.train.files[20] = "dog/20.png";
  const auto twins = describe(split).twins;
  ASSERT_EQ(twins.size(), 2U);
  EXPECT_EQ(twins[0].first.text, "cat/7.png");
  EXPECT_EQ(twins[0].second.text, "dog/20.png");
  EXPECT_FALSE(twins[0].same_label);
  EXPECT_EQ(twins[1].first.text, "cat/7.png");
  EXPECT_EQ(twins[1].second.text, "test sample 4");
  EXPECT_TRUE(twins[1].exact);
  EXPECT_TRUE(twins[1].second.test);
}

TEST(Describe, FindsNearlyEqualOnes) {
  for (const int channels : {1, 3}) {
    Split split{drawn(200, channels, 3), drawn(50, channels, 4)};
    EXPECT_THAT(describe(split).twins, IsEmpty());
    for (std::size_t i = 0; i < 10; ++i) copy_sample(split.train, 11 * i, split.test, 5 * i, 3);
    std::size_t found = 0;
    for (const auto& twin : describe(split).twins) {
      const bool planted =
          twin.first.index % 11 == 0 && twin.second.test && twin.second.index == twin.first.index / 11 * 5;
      found += planted && !twin.exact ? 1U : 0U;
    }
    EXPECT_EQ(found, 10U);
    copy_sample(split.train, 0, split.test, 0, 64);
    std::size_t left = 0;
    for (const auto& twin : describe(split).twins) left += twin.second.test && twin.second.index == 0 ? 1U : 0U;
    EXPECT_EQ(left, 0U) << "another picture";
  }
}

TEST(Describe, PlainPicturesAreNamedAndAreTwinsOnlyIfEqual) {
  Split split{drawn(3, 1, 5), {}};
  for (std::size_t k = 0; k < 256; ++k) {
    split.train.bytes[k] = 100;
    split.train.bytes[512 + k] = 101;
  }
  const auto found = describe(split);
  ASSERT_EQ(found.train.plain.size(), 2U);
  EXPECT_EQ(found.train.plain[1].text, "training sample 2");
  EXPECT_THAT(found.twins, IsEmpty());
}

TEST(ContactSheet, HasARowForEachClass) {
  Split split{drawn(7, 1, 1), {}};
  const auto sheet = contact_sheet(split, 20, 3, 40);
  EXPECT_EQ(sheet.channels, 3);
  EXPECT_EQ(sheet.height, 2 + 2 * (32 + 2)) << "twice its size is the most that fits";
  EXPECT_EQ(sheet.width, 2 + 3 * (32 + 2));
  const auto at = [&](int row, int column) {
    return int{sheet.pixels[static_cast<std::size_t>((row * sheet.width + column) * 3)]};
  };
  EXPECT_EQ(at(0, 0), 128);
  EXPECT_EQ(at(2, 2), int{split.train.bytes[0]});
  EXPECT_EQ(at(3, 3), int{split.train.bytes[0]});
  EXPECT_EQ(at(36, 2), int{split.train.bytes[256]}) << "sample 1 is the first of class 1";
  EXPECT_EQ(contact_sheet(split, 1, 3, 8).height, 2 + 8 + 2) << "one class, made smaller";
  const auto again = decode_image(encode_png(sheet), "sheet");
  EXPECT_EQ(again.pixels, sheet.pixels);
  EXPECT_EQ(again.width, sheet.width);
}

TEST(ContactSheet, OfValuesAndOtherSamples) {
  Split split;
  split.test.name = "made";
  split.test.sample = {2, 1, 2};
  split.test.values = {-1, 1, 5, 5, 0, 0, 0, 0};
  split.test.targets = {0, 0};
  split.test.target = {1};
  const auto sheet = contact_sheet(split, 2, 1, 2);
  EXPECT_EQ(sheet.height, 2 + 2 * (1 + 2));
  split.test.sample = {4};
  EXPECT_EQ(input_error([&] { contact_sheet(split); }),
            "made: samples of 4 are no pictures; a sheet shows channels×rows×columns");
}

}  // namespace
}  // namespace chalk
