#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "chalkgrad/image.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::input_error;

RC_GTEST_PROP(PngEncode, GivesBackWhatItWasGiven, ()) {
  Image image{*rc::gen::element(1, 3), *rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40), {}};
  const auto size = static_cast<std::size_t>(image.channels * image.height * image.width);
  image.pixels = *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  const auto back = decode_image(encode_png(image), "it");
  RC_ASSERT(back.channels == image.channels);
  RC_ASSERT(back.height == image.height);
  RC_ASSERT(back.width == image.width);
  RC_ASSERT(back.pixels == image.pixels);
}

TEST(PngEncode, IsSmallerThanThePixels) {
  const Image image{1, 500, 400, std::vector<std::uint8_t>(500 * 400, 127)};
  EXPECT_LT(encode_png(image).size(), 2000U);
}

TEST(PngEncode, RefusesWhatIsNoImage) {
  EXPECT_EQ(input_error([] {
              encode_png({3, 2, 1, {1, 2, 3}});
            }),
            "an image of 2×1 pixels with 3 channels and 3 bytes cannot be written; give 1 or 3 channels and a byte for "
            "each value");
  for (const Image& image : {Image{2, 1, 1, {1, 2}}, Image{1, 0, 1, {}}, Image{1, -1, -1, {1}}, Image{}})
    EXPECT_NE(input_error([&] { encode_png(image); }), "(no InputError)");
}

}  // namespace
}  // namespace chalk
