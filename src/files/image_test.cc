#include "chalkgrad/image.h"

#include <algorithm>

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/image_decoders.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::input_error;
using testing_support::kAnySize;
using testing_support::source;

using Pixels = std::vector<std::uint8_t>;

Image seed(const std::string& name, const Colour& background = kWhite) {
  return load_image(source("fuzz/corpus/image") / name, background);
}

TEST(Png, ReadsGreyAndColour) {
  const auto grey = seed("grey.png");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.height, 2);
  EXPECT_EQ(grey.width, 3);
  EXPECT_THAT(grey.pixels, ElementsAre(0, 128, 255, 1, 2, 3));
  const auto rgb = seed("rgb.png");
  EXPECT_EQ(rgb.channels, 3);
  EXPECT_THAT(rgb.pixels, ElementsAre(255, 0, 0, 0, 0, 255));
}

TEST(Png, OtherKindsBecomeEightBits) {
  EXPECT_THAT(seed("palette.png").pixels, ElementsAre(255, 0, 0, 0, 255, 0));
  EXPECT_THAT(seed("one-bit.png").pixels, ElementsAre(255, 0, 255, 0, 255, 0, 255, 0));
  EXPECT_THAT(seed("sixteen-bits.png").pixels, ElementsAre(128, 255));  // the upper 8 of 0x8080, 0xFFFF
  EXPECT_THAT(seed("interlaced.png").pixels, ElementsAre(127));
}

TEST(Png, GammaChangesNothing) { EXPECT_EQ(seed("gamma.png").pixels, seed("grey.png").pixels); }

TEST(Png, TransparencyLiesOnWhite) {
  EXPECT_THAT(seed("alpha.png").pixels, ElementsAre(255, 0, 0, 255, 255, 255));
  EXPECT_THAT(seed("grey-alpha.png").pixels, ElementsAre(64, 255));
  EXPECT_THAT(seed("grey-key.png").pixels, ElementsAre(0, 255, 170));  // 1 of 0…3 is transparent
  EXPECT_THAT(seed("nothing.png").pixels, ElementsAre(255, 255));      // no ink at all is not lost ink,
  EXPECT_THAT(seed("opaque.png").pixels, ElementsAre(255, 255));       // nor is a white picture without transparency
  EXPECT_THAT(seed("background.png").pixels, ElementsAre(255));        // the file asks for 80
}

// As Pillow's alpha_composite and paste do.
TEST(Png, StoredValuesAreBlended) {
  EXPECT_THAT(seed("half.png").pixels, ElementsAre(127, 128));  // black with 128/255 and 127/255
  EXPECT_THAT(seed("half.png", {100, 100, 100}).pixels, ElementsAre(50, 50));
  EXPECT_THAT(seed("palette-alpha.png").pixels, ElementsAre(255, 191, 191, 0, 255, 0));
}

TEST(Png, GreyBecomesColourOnlyOnAColour) {
  const auto grey = seed("grey-alpha.png", kBlack), colour = seed("grey-alpha.png", {1, 2, 3});
  EXPECT_EQ(grey.channels, 1);
  EXPECT_THAT(grey.pixels, ElementsAre(64, 0));
  EXPECT_EQ(colour.channels, 3);
  EXPECT_THAT(colour.pixels, ElementsAre(64, 64, 64, 1, 2, 3));
  EXPECT_EQ(seed("grey.png", {1, 2, 3}).channels, 1);
}

TEST(Png, InkOfTheBackgroundsColourIsAnError) {
  const auto white_ink = source("tests/bad/image/white-ink.png");
  EXPECT_EQ(input_error([&] { load_image(white_ink); }),
            white_ink.string() + ": all that is visible in it has the colour of the background; lay it on black");
  EXPECT_THAT(load_image(white_ink, kBlack).pixels, ElementsAre(0, 255));
  EXPECT_THAT(input_error([&] { load_image(white_ink, {250, 251, 252}); }), HasSubstr("lay it on black"));
  try {
    seed("half.png", {0, 8, 0});
    FAIL() << "black ink on nearly black";
  } catch (const InvisibleImage& e) {
    EXPECT_THAT(e.what(), testing::EndsWith("lay it on white"));
    EXPECT_EQ(e.visible_on.red, 255);
  }
  EXPECT_EQ(seed("half.png", {0, 9, 0}).channels, 3);
}

// 1 2 3 / 4 5 6, as Pillow's exif_transpose and OpenCV turn it.
TEST(Orientation, IsAppliedToPng) {
  const std::vector<Pixels> seen = {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1},
                                    {4, 5, 6, 1, 2, 3}, {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1},
                                    {3, 6, 2, 5, 1, 4}, {1, 2, 3, 4, 5, 6}};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto image = seed(str("orientation-", i, ".png"));
    EXPECT_EQ(image.pixels, seen[i]) << i;
    EXPECT_EQ(image.width, i >= 5 && i <= 8 ? 2 : 3) << i;
    EXPECT_EQ(image.height, i >= 5 && i <= 8 ? 3 : 2) << i;
  }
  EXPECT_EQ(seed("orientation-behind.png").pixels, seen[6]);
}

TEST(Orientation, IsAppliedToJpegInBothByteOrders) {
  const auto stored = seed("grey.jpg");
  for (const char* name : {"exif-little-endian.jpg", "exif-big-endian.jpg"}) {
    auto bytes = read_file(source("fuzz/corpus/image") / name, kAnySize);
    const bool little = std::string_view(name) == "exif-little-endian.jpg";
    const Pixels tag = little ? Pixels{0x12, 1, 3, 0, 1, 0, 0, 0, 6} : Pixels{1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6};
    const auto value = std::search(bytes.begin(), bytes.end(), tag.begin(), tag.end()) + (std::ssize(tag) - 1);
    for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
      *value = orientation;
      const auto image = decode_image(bytes, name), expected = upright(stored, orientation);
      EXPECT_EQ(image.pixels, expected.pixels) << name << " " << int{orientation};
      EXPECT_EQ(image.width, orientation > 4 ? stored.height : stored.width) << name << " " << int{orientation};
    }
  }
}

TEST(Orientation, IsIgnoredWhereExifIsDamaged) {
  const auto stored = seed("grey.jpg");
  for (const char* what : {"cut", "header-cut", "empty", "byte-order", "huge-count", "huge-value-count", "loop",
                           "outside", "at-the-end", "long"}) {
    EXPECT_EQ(seed(str("exif-", what, ".jpg")).pixels, stored.pixels) << what;
  }
}

TEST(Orientation, TurnsPixelsWithTheirChannels) {
  const Image stored{3, 1, 2, {1, 2, 3, 4, 5, 6}};
  for (const auto& [orientation, pixels] : std::vector<std::pair<int, Pixels>>{
           {1, {1, 2, 3, 4, 5, 6}}, {2, {4, 5, 6, 1, 2, 3}}, {6, {1, 2, 3, 4, 5, 6}}, {8, {4, 5, 6, 1, 2, 3}}}) {
    const auto image = upright(stored, orientation);
    EXPECT_EQ(image.pixels, pixels) << orientation;
    EXPECT_EQ(image.height, orientation > 4 ? 2 : 1) << orientation;
  }
}

// rgb.jpg is red (28x), green (32y), blue (4xy) in 9×8 pixels, saved by Pillow at quality 80.
TEST(Jpeg, ReadsColourProgressiveAndCmyk) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "cmyk.jpg"}) {
    const auto image = seed(name);
    EXPECT_EQ(image.channels, 3);
    ASSERT_EQ(image.height, 8);
    ASSERT_EQ(image.width, 9);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 9; ++x) {
        const auto* rgb = &image.pixels[static_cast<std::size_t>(y * 9 + x) * 3];
        EXPECT_NEAR(rgb[0], 28 * x, 40) << name << " " << x << " " << y;
        EXPECT_NEAR(rgb[1], 32 * y, 40) << name << " " << x << " " << y;
        EXPECT_NEAR(rgb[2], 4 * x * y, 60) << name << " " << x << " " << y;
      }
    }
  }
}

TEST(Jpeg, ReadsGrey) {
  const auto image = seed("grey.jpg");
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.pixels.size(), 72U);
  EXPECT_NEAR(image.pixels[0], 0, 12);
}

// A cut file is an error or, where only its end mark is missing, the whole picture; never half of one.
TEST(DecodeImage, NoTruncationGivesAnotherPicture) {
  for (const char* name : {"grey.png", "interlaced.png", "palette.png", "palette-alpha.png", "orientation-6.png",
                           "orientation-behind.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg", "exif-big-endian.jpg"}) {
    const auto bytes = read_file(source("fuzz/corpus/image") / name, kAnySize);
    const auto whole = decode_image(bytes, name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      try {
        EXPECT_EQ(decode_image(std::span(bytes).first(size), name).pixels, whole.pixels) << name << " " << size;
      } catch (const InputError&) {
      }
    }
  }
}

TEST(DecodeImage, FlippedBitsNeverCrash) {
  for (const char* name : {"grey.png", "palette.png", "alpha.png", "rgb.jpg", "progressive.jpg", "grey.jpg",
                           "orientation-6.png", "exif-big-endian.jpg"}) {
    auto bytes = read_file(source("fuzz/corpus/image") / name, kAnySize);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      try {
        const auto image = decode_image(bytes, name, 100'000);
        EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.channels) * image.height * image.width);
      } catch (const InputError&) {
      }
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
  }
}

TEST(DecodeImage, RefusesMorePixelsThanAsked) {
  const auto bytes = read_file(source("fuzz/corpus/image/grey.png"), kAnySize);
  EXPECT_EQ(input_error([&] { decode_image(bytes, "grey.png", 5); }),
            "grey.png: the image has 3×2 pixels, more than the 5 accepted here; make it smaller");
  EXPECT_EQ(decode_image(bytes, "grey.png", 6).width, 3);
  const auto turned = read_file(source("fuzz/corpus/image/orientation-6.png"), kAnySize);
  EXPECT_THAT(input_error([&] { decode_image(turned, "turned.png", 5); }), HasSubstr("the image has 2×3 pixels"));
}

TEST(LoadImage, NamesAMissingFile) {
  EXPECT_THAT(input_error([] { load_image("none.png"); }), HasSubstr("none.png: cannot be read: No such file"));
}

TEST(FitImage, KeepsAnImageThatFits) {
  const Image image{1, 2, 3, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(fit_image(image, 1, 2, 3), image.pixels);
}

TEST(FitImage, ChannelsBecomePlanes) {
  const Image image{3, 1, 2, {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(fit_image(image, 3, 1, 2), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(FitImage, ConvertsChannels) {
  const Image primary{3, 1, 5, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 7, 7, 7}};
  EXPECT_THAT(fit_image(primary, 1, 1, 5), ElementsAre(76, 150, 29, 255, 7));  // as Pillow's convert("L")
  EXPECT_THAT(fit_image({1, 1, 2, {9, 200}}, 3, 1, 2), ElementsAre(9, 200, 9, 200, 9, 200));
}

TEST(FitImage, CropsToTheMiddle) {
  const Image wide{1, 2, 4, {1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_THAT(fit_image(wide, 1, 2, 2, Fit::crop), ElementsAre(2, 3, 6, 7));
  EXPECT_THAT(fit_image({1, 4, 2, wide.pixels}, 1, 2, 2, Fit::crop), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(fit_image({1, 1, 5, {1, 2, 3, 4, 5}}, 1, 1, 2, Fit::crop), ElementsAre(2, 3)) << "less on the left";
  EXPECT_THAT(fit_image({3, 1, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}}, 3, 1, 1, Fit::crop), ElementsAre(4, 5, 6));
  // 4×4 to 1×2: the middle two rows, of which 2×2 pixels each are averaged.
  const Image square{1, 4, 4, {9, 9, 9, 9, 0, 10, 20, 30, 40, 50, 60, 70, 9, 9, 9, 9}};
  EXPECT_THAT(fit_image(square, 1, 1, 2, Fit::crop), ElementsAre(25, 45));
  EXPECT_EQ(fit_image(square, 1, 3, 3, Fit::crop), fit_image(square, 1, 3, 3)) << "the same aspect ratio";
  EXPECT_THAT(fit_image({1, 1, 100, std::vector<std::uint8_t>(100, 7)}, 1, 64, 2, Fit::crop), testing::Each(7));
  EXPECT_THAT(input_error([&] { fit_image(wide, 1, 0, 8, Fit::crop); }), HasSubstr("0×8 pixels; give 1…65,536"));
}

TEST(FitImage, AveragesAreas) {
  EXPECT_THAT(fit_image({1, 2, 2, {0, 10, 20, 31}}, 1, 1, 1), ElementsAre(15));  // 15.25
  EXPECT_THAT(fit_image({1, 1, 3, {0, 30, 60}}, 1, 1, 2), ElementsAre(10, 50));  // (0 + 30/2) / 1.5, …
  EXPECT_THAT(fit_image({1, 3, 1, {0, 30, 60}}, 1, 2, 1), ElementsAre(10, 50));
}

TEST(FitImage, InterpolatesBetweenCentres) {
  EXPECT_THAT(fit_image({1, 1, 2, {0, 100}}, 1, 1, 4), ElementsAre(0, 25, 75, 100));
  EXPECT_THAT(fit_image({1, 1, 1, {42}}, 1, 2, 2), ElementsAre(42, 42, 42, 42));
}

TEST(FitImage, ConstantStaysConstantAndMirrorsCommute) {
  for (const int from : {1, 2, 7, 28, 100}) {
    for (const int to : {1, 3, 8, 28, 64}) {
      const Image flat{1, from, from, Pixels(static_cast<std::size_t>(from) * from, 77)};
      EXPECT_THAT(fit_image(flat, 1, to, to), testing::Each(77));
      Image ramp{1, 1, from, Pixels(static_cast<std::size_t>(from))};
      for (int i = 0; i < from; ++i) ramp.pixels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i * i);
      auto forward = fit_image(ramp, 1, 1, to);
      std::ranges::reverse(ramp.pixels);
      std::ranges::reverse(forward);
      EXPECT_EQ(fit_image(ramp, 1, 1, to), forward) << from << " " << to;
    }
  }
}

TEST(FitImage, RefusesWhatItCannotDo) {
  const Image image{1, 1, 1, {0}};
  EXPECT_THAT(input_error([&] { fit_image(image, 2, 8, 8); }), HasSubstr("2 channels; use a network whose input has"));
  EXPECT_THAT(input_error([&] { fit_image(image, 1, 0, 8); }), HasSubstr("0×8 pixels; give 1…65,536"));
  EXPECT_THAT(input_error([&] { fit_image(image, 1, 65536, 65536); }), HasSubstr("65536×65536 pixels; give"));
}

}  // namespace
}  // namespace chalk
