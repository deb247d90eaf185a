// Every augmentation of the list: its pictures against those recorded from torchvision, and whether the comparison
// would notice a wrong one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation_testing.h"
#include "src/augmentations/resample.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using augmentation_testing::pictures;
using augmentation_testing::seen;

/// A line of tests/augmentations/torchvision.txt.
struct Recorded {
  std::string text;
  Shape shape;
  std::int64_t epoch = 0;
  int within = 0;  // levels
  std::vector<Byte> pixels;
};

std::vector<Byte> bytes_of(const std::string& hex) {
  std::vector<Byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<Byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// "TEXT | shape | epoch | within | hex"
std::vector<Recorded> recorded() {
  std::vector<Recorded> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/augmentations/torchvision.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Recorded one;
    std::string bar, hex;
    std::istringstream words(line);
    words >> one.text >> bar;
    one.shape.resize(3);
    for (auto& extent : one.shape) words >> extent;
    words >> bar >> one.epoch >> bar >> one.within >> bar >> hex;
    one.pixels = bytes_of(hex);
    all.push_back(std::move(one));
  }
  return all;
}

constexpr std::uint64_t kSeed = 5;
constexpr std::size_t kRow = 3;

/// The recorded picture, as the row of a data set, augmented by a list.
std::vector<Byte> made(const Recorded& one, const Augmentations& list) {
  auto data = pictures(1, one.shape);
  const auto picture = data.bytes;
  data.labels.assign(kRow + 1, 0);
  data.bytes.assign(kRow * picture.size(), 0);
  data.bytes.insert(data.bytes.end(), picture.begin(), picture.end());
  data.shift = one.shape[0] == 3 ? std::vector{-64.0F, -128.0F, -192.0F} : std::vector{-64.0F};
  const auto all = augmented(data, list, kSeed, one.epoch).bytes;
  return {all.end() - static_cast<std::ptrdiff_t>(picture.size()), all.end()};
}

/// The largest difference in levels.
int difference(const std::vector<Byte>& made, const std::vector<Byte>& right) {
  if (made.size() != right.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < made.size(); ++i) largest = std::max(largest, std::abs(int{made[i]} - int{right[i]}));
  return largest;
}

TEST(Augmentations, MakeThePicturesThatTorchvisionMakes) {
  std::size_t pixels = 0, others = 0;
  for (const auto& one : recorded()) {
    const auto picture = made(one, Augmentations::parse(one.text));
    EXPECT_LE(difference(picture, one.pixels), one.within) << one.text << ", epoch " << one.epoch;
    for (std::size_t i = 0; i < picture.size(); ++i) others += picture[i] != one.pixels[i] ? 1U : 0U;
    pixels += picture.size();
  }
  EXPECT_LT(static_cast<double>(others), 0.02 * static_cast<double>(pixels)) << "roundings differ rarely";
}

TEST(Augmentations, AreAllRecorded) {
  const auto all = recorded();
  for (const auto* definition : all_augmentations()) {
    const auto name = definition->name.value;
    if (definition->mix) continue;  // see mixing_test.cc
    EXPECT_TRUE(std::ranges::any_of(
        all, [&](const auto& one) { return Augmentations::parse(one.text).list()[0].name() == name; }))
        << "add " << name << " to tools/record_augmentations.py and run it";
  }
}

/// An augmentation one of whose parameters is another.
Augmentations with_other_parameter(const Augmentation& augmentation, std::size_t number) {
  std::string text(augmentation.name());
  std::size_t i = 0;
  FieldFunction writer([&]<class T>(const Field& field, const T& value) {
    const char* separator = i == 0 ? ":" : ",";
    const bool change = i++ == number;
    if constexpr (std::is_same_v<T, std::string>)
      text += str(separator, field.name, "=", !change ? value : field.name == "fill" ? "white" : "edge");
    if constexpr (std::is_same_v<T, double>) {
      const double other = field.name.ends_with("least") ? value * 0.6 : value < 0.7 ? value * 1.4 : value * 0.7;
      text += str(separator, field.name, "=", change ? other : value);
    }
    if constexpr (std::is_same_v<T, std::int64_t>) text += str(separator, field.name, "=", value + (change ? -1 : 0));
  });
  augmentation.parameters().show(writer);
  return Augmentations::parse(text);
}

TEST(Augmentations, WithAWrongParameterAreNoticed) {
  const auto all = recorded();
  for (const auto* definition : all_augmentations()) {
    if (definition->mix) continue;  // see mixing_test.cc
    std::size_t number = 0;
    FieldFunction each([&](const Field& field, const auto&) {
      if (field.name == "of") return;  // which needs files: see file_part_test.cc
      EXPECT_TRUE(definition->mix ||
                  std::ranges::any_of(all,
                                      [&](const auto& one) {
                                        const auto list = Augmentations::parse(one.text);
                                        if (list.list()[0].name() != definition->name.value) return false;
                                        try {
                                          return difference(made(one, with_other_parameter(list.list()[0], number)),
                                                            one.pixels) > one.within;
                                        } catch (const InputError&) {
                                          return false;  // parameters that contradict each other
                                        }
                                      }))
          << definition->name.value << ": " << field.name;
      ++number;
    });
    definition->defaults.value.show(each);
  }
}

TEST(Augmentations, OfAnotherEpochOrSeedAreNoticed) {
  for (auto one : recorded()) {
    const auto list = Augmentations::parse(one.text);
    const auto changes = [&](std::int64_t epoch) {
      one.epoch = epoch;
      return difference(made(one, list), one.pixels) > one.within;
    };
    int noticed = 0;
    for (std::int64_t epoch = 10; epoch < 40; ++epoch) noticed += changes(epoch) ? 1 : 0;
    const bool draws_nothing = one.text.starts_with("resized-crop:1,");  // whose middle is all that fits
    EXPECT_EQ(noticed > 0, !draws_nothing) << one.text;
  }
}

// ---- What can be known without another library

/// A picture by hand.
std::vector<Byte> resampled(std::vector<Byte> pixels, std::size_t rows, std::size_t columns, double degrees,
                            bool nearest = false) {
  std::vector<Byte> spare(pixels.size());
  Picture picture{1, rows, columns, pixels.data(), spare.data(), {}};
  const auto d = direction(degrees);
  const auto placement = Placement::about_middle(picture, d.cosine, -d.sine, d.sine, d.cosine);
  Random random(1, 1);
  nearest ? resample_nearest(picture, placement, Fill::black, random)
          : resample(picture, placement, Fill::black, random);
  return {picture.pixels, picture.pixels + pixels.size()};
}

TEST(Resampling, ByRightAnglesCopiesPixels) {
  const std::vector<Byte> p{1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const bool nearest : {false, true}) {
    EXPECT_EQ(resampled(p, 3, 3, 90, nearest), (std::vector<Byte>{3, 6, 9, 2, 5, 8, 1, 4, 7})) << "counter-clockwise";
    EXPECT_EQ(resampled(p, 3, 3, -90, nearest), (std::vector<Byte>{7, 4, 1, 8, 5, 2, 9, 6, 3}));
    EXPECT_EQ(resampled(p, 3, 3, 180, nearest), (std::vector<Byte>{9, 8, 7, 6, 5, 4, 3, 2, 1}));
    EXPECT_EQ(resampled({1, 2, 3, 4, 5, 6}, 2, 3, 180, nearest), (std::vector<Byte>{6, 5, 4, 3, 2, 1}));
    EXPECT_EQ(resampled({1, 2, 3, 4, 5, 6}, 2, 3, 0, nearest), (std::vector<Byte>{1, 2, 3, 4, 5, 6}));
  }
}

TEST(Resampling, KeepsALargePictureWhereItIs) {
  constexpr std::size_t kSide = 1999;
  std::vector<Byte> pixels(kSide * kSide);
  Random random(3, 3);
  draw_bytes(random, pixels.data(), pixels.size());
  auto turned = pixels;
  for (int i = 0; i < 4; ++i) turned = resampled(turned, kSide, kSide, 90);
  EXPECT_TRUE(turned == pixels);
}

TEST(AlternatingFlip, ShowsBothSidesInTwoEpochs) {
  const auto data = pictures(400, {1, 2, 3});
  const auto first = seen(data, "alternating-flip", 0), second = seen(data, "alternating-flip", 1);
  const auto flipped = seen(data, "flip:1");
  int mirrored = 0;
  for (std::size_t i = 0; i < data.bytes.size(); i += 6) {
    const auto same = [&](const std::vector<Byte>& a, const std::vector<Byte>& b) {
      return std::equal(&a[i], &a[i] + 6, &b[i]);
    };
    mirrored += same(first, flipped) ? 1 : 0;
    EXPECT_TRUE(same(first, flipped) ? same(second, data.bytes) : same(second, flipped) && same(first, data.bytes));
  }
  EXPECT_NEAR(mirrored, 200, 50);
  EXPECT_EQ(seen(data, "alternating-flip", 8), first);
}

}  // namespace
}  // namespace chalk
