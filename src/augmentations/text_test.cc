// The language of augmentations, and what they refuse.
#include "src/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation_testing.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::input_error;

std::string refusal(const std::string& text) {
  return input_error([&] { (void)Augmentations::parse(text); });
}

TEST(AugmentationText, IsReadAndWritten) {
  for (const char* text :
       {"", "flip", "flip:0.3", "flip,shift:4,cutout:8", "shift:4,border=reflect,cutout:8", "erase:0.25,least=0.1",
        "scale:0.5,1", "scale:0.5", "blur:0.5,1", "flip,flip", "shift:1,border=edge,fill=white,vflip",
        "randaugment:2,11", "randaugment:3", "flip,mixup:0.4,p=0.5,cutmix"})
    EXPECT_EQ(Augmentations::parse(text).text(), text);
  for (const auto& [text, plain] : {std::pair{"none", ""},
                                    {" flip , shift:4 ", "flip,shift:4"},
                                    {"flip:p=0.3", "flip:0.3"},
                                    {"flip:0.5", "flip"},
                                    {"shift:border=edge,pixels=2", "shift:2,border=edge"},
                                    {"shift:2,border=constant,fill=black", "shift:2"},
                                    {"scale:most=2", "scale:0.9,2"},
                                    {"cutout:8, fill=mean", "cutout:8,fill=mean"}}) {
    EXPECT_EQ(Augmentations::parse(text).text(), plain);
  }
  const Augmentations list({Flip{}, Shift{.pixels = 2, .border = Border::reflect}});
  EXPECT_EQ(list.text(), "flip,shift:2,border=reflect");
  EXPECT_EQ(Augmentations::parse(list.text()), list);
  EXPECT_EQ(list.list()[1].parameters().as<Shift>().pixels, 2);
}

TEST(AugmentationText, ThatIsWrongIsExplained) {
  EXPECT_EQ(
      refusal("sharpened"),
      "augmentation \"sharpened\" is not known; use flip:P, vflip:P, alternating-flip, shift:PIXELS, cutout:SIDE, "
      "erase:P, rotate:DEGREES, scale:LEAST,MOST, shear:DEGREES, resized-crop:LEAST,MOST, brightness:STRENGTH, "
      "contrast:STRENGTH, saturation:STRENGTH, hue:TURNS, grey:P, noise:DEVIATION, blur:LEAST,MOST, "
      "randaugment:OPERATIONS,MAGNITUDE, trivialaugment, mixup:ALPHA or cutmix:ALPHA");
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"fliip", " is not known; did you mean \"flip\"?"},
           {"shift", ": PIXELS is missing; write shift:PIXELS as in shift:4"},
           {"shift:", ": PIXELS is missing; write shift:PIXELS as in shift:4"},
           {"shift:0", ": PIXELS is 0; it must be whole, and from 1 to 65535"},
           {"shift:1.5", ": PIXELS is \"1.5\"; it must be whole, and from 1 to 65535"},
           {"shift:4,border=mirror", ": border is \"mirror\"; it must be constant, edge, reflect or symmetric"},
           {"shift:4,fill=red", ": fill is \"red\"; it must be black, white, mean or noise"},
           {"shift:4,5", ": 5 is one too many; shift takes pixels, border and fill"},
           {"shift:4,size=5", ": shift has no \"size\", but pixels, border and fill"},
           {"shift:4,pixels=5", ": 4 is one too many; shift takes pixels, border and fill"},
           {"flip:2", ": P is 2; it must be from 0 to 1"},
           {"flip:", ": a number is missing; end it without a colon or comma"},
           {"flip:p=0.1,p=0.2", ": p is given twice; give it once"},
           {"scale:1.2,0.8", ": least is 1.2 and most 0.8; the second must not be below the first"},
           {"erase:1,ratio_least=2,ratio_most=1",
            ": ratio_least is 2 and ratio_most 1; the second must not be below the first"},
           {"alternating-flip:1", ": 1 is one too many; alternating-flip takes nothing"}}) {
    EXPECT_EQ(refusal(text), str("augmentation \"", text, "\"", what));
    EXPECT_EQ(refusal(str("vflip,", text, ",vflip")), str("augmentation \"", text, "\"", what));
  }
  EXPECT_EQ(refusal("flip,,vflip"), "augmentations \"flip,,vflip\": a name is missing; write e.g. flip,shift:4");
  EXPECT_EQ(refusal("flip,"), "augmentations \"flip,\": a name is missing; write e.g. flip,shift:4");
  EXPECT_EQ(refusal("4"),
            "augmentations \"4\": \"4\" belongs to no augmentation; begin with the name of one, as in "
            "flip,shift:4");
  EXPECT_EQ(refusal("flip,p=0.3"),
            "augmentations \"flip,p=0.3\": \"p=0.3\" belongs to no augmentation; write flip:p=0.3");
  EXPECT_EQ(input_error([] { Augmentations({Flip{.p = 2}}).check(); }),
            "augmentation \"flip:2\": p is 2; it must be from 0 to 1");
}

TEST(BadInputs, OfAugmentationsGiveTheirErrors) {
  std::ifstream file(testing_support::source("tests/bad/expected.txt"));
  int count = 0;
  for (std::string name, expected; std::getline(file, name, '\t') && std::getline(file, expected);) {
    if (!name.starts_with("augment/")) continue;
    std::stringstream text;
    text << std::ifstream(testing_support::source("tests/bad/" + name)).rdbuf();
    const auto message = refusal(text.str());
    EXPECT_THAT(message, testing::HasSubstr(expected)) << name;
    EXPECT_EQ(message.find('\n'), std::string::npos) << name;
    ++count;
  }
  EXPECT_GE(count, 12);
}

TEST(Augmentations, RefuseWhatTheyCannotBeDoneTo) {
  const auto refused = [](const char* text, const Dataset& data) {
    return input_error([&] { Augmentations::parse(text).check(data); });
  };
  using augmentation_testing::pictures;
  const auto grey = pictures(2, {1, 8, 10}), colour = pictures(2, {3, 8, 10});
  auto vectors = pictures(2, {80}), numbers = grey;
  numbers.bytes.clear();
  numbers.values.assign(160, 0.5F);
  EXPECT_EQ(refused("flip", vectors),
            "augmentations are for pictures, {channels, rows, columns}, and data set \"pictures\" has samples of 80; "
            "leave out \"flip\"");
  EXPECT_EQ(refused("flip", numbers),
            "augmentations are for pictures in bytes, and data set \"pictures\" has numbers; leave out \"flip\"");
  EXPECT_EQ(
      refused("flip,hue:0.1", grey),
      "augmentation \"hue:0.1\": it takes pictures of 3 channels, red, green and blue, and those of \"pictures\" have "
      "1; leave it out");
  EXPECT_EQ(refused("cutout:9", colour),
            "augmentation \"cutout:9\": SIDE is 9; it must be at most the smaller side of the pictures, 8");
  EXPECT_EQ(refused("shift:8", colour),
            "augmentation \"shift:8\": PIXELS is 8; it must be below the smaller side of the pictures, 8");
  EXPECT_EQ(refused("cutout:8,shift:7,hue:0.1", colour), "(no InputError)");
  EXPECT_EQ(refused("", vectors), "(no InputError)");
}

RC_GTEST_PROP(AugmentationText, IsReadAsWhatWasWritten, ()) {
  const auto all = all_augmentations();
  std::string text;
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n) {
    const auto* definition = *rc::gen::elementOf(std::vector<const AugmentationDefinition*>(all.begin(), all.end()));
    text += str(text.empty() ? "" : ",", definition->name.value);
    std::size_t i = 0;
    FieldFunction writer([&]<class T>(const Field& field, const T&) {
      if (!field.must_be_given && *rc::gen::arbitrary<bool>()) return;
      text += str(i++ == 0 ? ":" : ",", field.name, "=");
      if constexpr (std::is_same_v<T, std::int64_t>) text += std::to_string(*rc::gen::inRange(1, 15));
      if constexpr (std::is_same_v<T, std::string>) text += field.name == "fill" ? "mean" : "symmetric";
      if constexpr (std::is_same_v<T, double>)
        text += field.name.ends_with("least") ? "0.3" : field.name == "turns" ? "0.25" : "0.71";
    });
    definition->defaults.value.show(writer);
  }
  Augmentations list;
  try {
    list = Augmentations::parse(text);
  } catch (const InputError&) {
    RC_DISCARD("parameters that contradict the others' defaults, or mixing that does not come last");
  }
  RC_ASSERT(Augmentations::parse(list.text()) == list);
  RC_ASSERT(Augmentations::parse(list.text()).text() == list.text());
}

}  // namespace
}  // namespace chalk
