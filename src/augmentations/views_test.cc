// The views that test-time augmentation looks at.
#include "src/augmentations/views.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation_testing.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing_support::input_error;

struct Shown {
  double weight;
  std::vector<Byte> bytes;
  bool operator==(const Shown&) const = default;
};

std::vector<Shown> shown(std::string_view list, const Shape& shape, const std::vector<Byte>& picture,
                         std::vector<Byte> means = {7, 8, 9}) {
  const Views views(Augmentations::parse(list), shape, 1);
  std::vector<Shown> all;
  for (std::size_t i = 0; i < views.size(); ++i) {
    all.push_back({views.weight(i), picture});
    views.show(i, means, all.back().bytes.data());
  }
  return all;
}

// 1 2 3
// 4 5 6
const std::vector<Byte> kSix{1, 2, 3, 4, 5, 6};

TEST(Views, AreThePictureItselfAndWhatTheListMakesOfIt) {
  const Shape shape{1, 2, 3};
  EXPECT_EQ(shown("", shape, kSix), (std::vector<Shown>{{1, kSix}}));
  EXPECT_EQ(shown("flip", shape, kSix), (std::vector<Shown>{{0.5, kSix}, {0.5, {3, 2, 1, 6, 5, 4}}}));
  EXPECT_EQ(shown("vflip:0.25", shape, kSix), (std::vector<Shown>{{0.75, kSix}, {0.25, {4, 5, 6, 1, 2, 3}}}));
  EXPECT_EQ(shown("shift:1", shape, kSix),
            (std::vector<Shown>{{0.5, kSix}, {0.25, {0, 0, 0, 0, 1, 2}}, {0.25, {5, 6, 0, 0, 0, 0}}}));
  EXPECT_EQ(shown("shift:1,border=reflect", shape, kSix),
            (std::vector<Shown>{{0.5, kSix}, {0.25, {5, 4, 5, 2, 1, 2}}, {0.25, {5, 6, 5, 2, 3, 2}}}));
  EXPECT_EQ(shown("shift:1,fill=mean", shape, kSix)[1].bytes, (std::vector<Byte>{7, 7, 7, 7, 1, 2}));
  EXPECT_EQ(shown("flip:1", shape, kSix), (std::vector<Shown>{{1, {3, 2, 1, 6, 5, 4}}}))
      << "those that weigh something";
  EXPECT_EQ(shown("flip:0", shape, kSix), (std::vector<Shown>{{1, kSix}}));
}

TEST(Views, OfAListAreThoseOfEachOfThoseBefore) {
  const auto all = shown("flip,shift:1", {1, 2, 3}, kSix);
  ASSERT_EQ(all.size(), 6U);
  const double weights[] = {0.25, 0.125, 0.125, 0.25, 0.125, 0.125};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(all[i].weight, weights[i]);
  EXPECT_EQ(all[3].bytes, (std::vector<Byte>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(all[4].bytes, (std::vector<Byte>{0, 0, 0, 0, 3, 2})) << "mirrored, then moved";
  EXPECT_EQ(shown("shift:1,flip", {1, 2, 3}, kSix)[3].bytes, (std::vector<Byte>{0, 0, 0, 2, 1, 0}))
      << "and moved first";
}

/// airbench94.py pads the pictures by a reflected pixel and cuts two out of them, at the upper left and lower right.
TEST(Views, AreThoseOfAirbench) {
  constexpr int kSide = 6;
  const Shape shape{3, kSide, kSide};
  const auto picture = augmentation_testing::pictures(1, shape).bytes;
  const auto padded = [&](int c, int r, int s) {
    const auto reflected = [](int i) { return i < 0 ? -i : i >= kSide ? 2 * kSide - 2 - i : i; };
    return picture[static_cast<std::size_t>((c * kSide + reflected(r - 1)) * kSide + reflected(s - 1))];
  };
  std::vector<Shown> expected;
  for (const int cut : {1, 0, 2}) {
    for (const bool flipped : {false, true}) {
      auto& view = expected.emplace_back(Shown{cut == 1 ? 0.25 : 0.125, {}});
      for (int c = 0; c < 3; ++c) {
        for (int r = 0; r < kSide; ++r) {
          for (int s = 0; s < kSide; ++s) view.bytes.push_back(padded(c, r + cut, (flipped ? kSide - 1 - s : s) + cut));
        }
      }
    }
  }
  EXPECT_EQ(shown("shift:1,border=reflect,flip", shape, picture), expected);
}

TEST(Views, SayWhatHasNone) {
  const auto refused = [](std::string_view list) {
    return input_error([&] { (void)Augmentations::parse(list).views(); });
  };
  EXPECT_EQ(refused("flip,hue:0.1"),
            "augmentation \"hue:0.1\" has no fixed views to look at when testing; use flip:P, vflip:P or shift:PIXELS");
  EXPECT_EQ(
      refused("shift:1,shift:2,shift:3,shift:4,flip"),
      "augmentations \"shift:1,shift:2,shift:3,shift:4,flip\" make more than 100 views of each picture; leave some "
      "of them out");
  EXPECT_EQ(Augmentations::parse("shift:1,shift:2,shift:3,flip").views(), 54U);
  EXPECT_EQ(Augmentations().views(), 1U);
  EXPECT_EQ(input_error([] { Views(Augmentations::parse("flip"), {80}, 1); }),
            "test-time augmentation is for pictures, {channels, rows, columns}, and the network takes 80; leave out "
            "\"flip\"");
  EXPECT_EQ(input_error([] {
              Views(Augmentations::parse("shift:8"), {1, 8, 10}, 1);
            }),
            "augmentation \"shift:8\": PIXELS is 8; it must be below the smaller side of the pictures, 8");
}

}  // namespace
}  // namespace chalk
