// Pages of augmentations, each with a picture of what it does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "chalkgrad/data.h"
#include "chalkgrad/describe.h"
#include "src/augmentations/augmentation.h"
#include "src/base/text.h"
#include "tests/reference/family.h"

namespace chalk::reference {
namespace {

constexpr int kSide = 32, kSamples = 4;

struct Rgb {
  std::uint8_t red, green, blue;
};

/// A house with a red roof on a green hill, under the sun: nothing in it is like its mirror image.
Rgb scene(int row, int column) {
  const auto within = [](int x, int y, int radius) { return x * x + y * y <= radius * radius; };
  const bool wall = row >= 17 && row < 27 && column >= 5 && column < 17;
  if (wall && row >= 20 && column >= 12 && column < 15) return {90, 60, 40};                // its door
  if (wall && row >= 19 && row < 23 && column >= 7 && column < 10) return {120, 170, 210};  // its window
  if (wall) return {235, 215, 180};
  if (row >= 10 && row < 17 && std::abs(2 * column - 21) <= 2 * (row - 9)) return {190, 50, 40};
  if (within(row - 6, column - 25, 4)) return {250, 210, 60};
  const int hill = 24 - column * (31 - column) / 48;
  if (row >= hill) return {static_cast<std::uint8_t>(40 + 2 * row), static_cast<std::uint8_t>(120 + row), 50};
  return {static_cast<std::uint8_t>(90 + 4 * row), static_cast<std::uint8_t>(150 + 3 * row), 235};
}

/// The scene and a digit, so many times each.
Dataset drawn(int copies) {
  Dataset data;
  data.name = "drawn";
  data.sample = {3, kSide, kSide};
  data.class_names = {"scene", "digit"};
  data.scale = {1, 1, 1};
  data.shift = {-128, -128, -128};
  const auto all = digits().train;
  const auto two = static_cast<std::size_t>(std::ranges::find(all.labels, 2) - all.labels.begin());
  for (const int label : {0, 1}) {
    for (int n = 0; n < copies; ++n) {
      data.labels.push_back(label);
      for (int i = 0; i < 3 * kSide * kSide; ++i) {
        const int channel = i / (kSide * kSide), row = i / kSide % kSide, column = i % kSide;
        const auto [red, green, blue] = scene(row, column);
        const auto at = two * 64 + static_cast<std::size_t>(row / 4 * 8 + column / 4);
        data.bytes.push_back(label == 1 ? all.bytes[at] : channel == 0 ? red : channel == 1 ? green : blue);
      }
    }
  }
  return data;
}

/// The first column shows the pictures as they are, the others what a run may see of them.
Image sheet(const Augmentations& list, int samples) {
  const int columns = 1 + samples;
  const auto data = drawn(columns);
  auto shown = data;
  shown.bytes = augmented(data, list, /*seed=*/1, /*epoch=*/0).bytes;
  constexpr auto kSize = std::ptrdiff_t{3} * kSide * kSide;
  for (const std::ptrdiff_t first : {0, columns})
    std::copy_n(data.bytes.begin() + first * kSize, kSize, shown.bytes.begin() + first * kSize);
  return contact_sheet({.train = shown, .test = {}}, 2, columns, 2 * kSide);
}

}  // namespace

Family augmentations() {
  return family_of(
      "augmentations", "An augmentation", "src/augmentations/augmentations.inc",
      "What is done to pictures while a network is trained on them: `--augment` takes a list. "
      "[augmentation.md](../../augmentation.md) says how it is written, and what is promised of it.",
      [](Family& family, auto& sources) {
        const auto forms = Augmentations::forms();
        family.listed = all_augmentations().size();
        std::vector<std::string_view> alone;
        for (const auto* definition : all_augmentations()) {
          if (!definition->mix) alone.push_back(definition->name);
        }
        count_recorded(family, "tests/augmentations/torchvision.txt", alone);
        family.tests += "; those that mix: src/augmentations/mixing_test.cc";
        family.tested += family.listed - alone.size();
        for (std::size_t i = 0; i < all_augmentations().size(); ++i) {
          const auto& definition = *all_augmentations()[i];
          const std::string name(definition.name.value);
          const auto source = source_of(sources, family.name, name);
          const auto& list = source.cases[0].net;
          auto page = new_page(family, name, "src/augmentations and tests/reference/augmentations.toml",
                               str(definition.help.value, definition.of_colour ? "; of pictures in colour" : ""));
          page.table({{"option", "the picture shows"}, {{str("`--augment ", forms[i], "`"), str("`", list, "`")}}});
          const auto given = static_cast<int>(source.cases[0].samples);  // 1 if nothing is
          const int samples = given > 1 ? given : kSamples;
          page.picture = sheet(Augmentations::parse(list), samples);
          page.blocks.push_back({Block::Kind::picture, str("A drawing and a digit as they are, and what `", list,
                                                           "` makes of them for ", samples, " samples")});
          page.heading("What it does");
          EXPECT_FALSE(source.notes.empty()) << name << ": what exactly does it do?";
          page.text(source.notes);
          if (definition.views != nullptr)
            page.text("It has [views for test-time augmentation](../../augmentation.md#test-time-augmentation), too.");
          if (const auto options = options_table(fields_of(definition.defaults), source, as_key);
              !options.rows.empty()) {
            page.heading("Parameters");
            page.table(options);
          }
          page.heading("Elsewhere");
          EXPECT_FALSE(source.albumentations.empty()) << name << ": what does Albumentations call it?";
          page.table({{"", ""},
                      {{"torchvision, Keras", std::string(definition.elsewhere.value)},
                       {"Albumentations", source.albumentations}}});
          add_command(page, str("chalkgrad data cifar10:data/cifar-10-binary.tar.gz --sheet ", name, ".png --augment ",
                                quoted(list)));
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference
