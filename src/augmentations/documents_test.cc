// The tables in docs/augmentation.md.
#include <gtest/gtest.h>

#include "src/augmentations/augmentation_testing.h"
#include "src/base/document_testing.h"
#include "src/base/fields.h"
#include "src/base/text.h"

namespace chalk {
namespace {

TEST(Documents, ListTheAugmentations) {
  std::string table = "| `--augment` | is | elsewhere |\n|---|---|---|\n";
  const auto forms = Augmentations::forms();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const auto& definition = *all_augmentations()[i];
    table += str("| `", forms[i], "` | ", definition.help.value, definition.of_colour ? "; of pictures in colour" : "",
                 " | ", definition.elsewhere.value, " |\n");
  }
  testing_support::expect_generated("docs/augmentation.md", "augmentations", table);
}

TEST(Documents, ListTheParametersOfAugmentations) {
  std::string table = "| augmentation | parameter | is | it takes | without it |\n|---|---|---|---|---|\n";
  for (const auto* definition : all_augmentations()) {
    const auto defaults = texts_of([&](FieldVisitor& v) { definition->defaults.value.show(v); });
    std::string name = str("`", definition->name.value, "`");
    std::size_t i = 0;
    FieldFunction row([&]<class T>(const Field& field, const T&) {
      const auto& usual = defaults.at(i++).second;
      table += str(
          "| ", name, " | `", field.name, "` | ", field.help, " | ",
          std::is_same_v<T, std::string>    ? "a word"
          : std::is_same_v<T, std::int64_t> ? str("whole, ", field.range.text())
                                            : field.range.text(),
          " | ",
          field.must_be_given ? str("it must be given: `", augmentation_testing::example_of(*definition), "`") : usual,
          " |\n");
      name.clear();
    });
    definition->defaults.value.show(row);
  }
  testing_support::expect_generated("docs/augmentation.md", "augmentation parameters", table);
}

}  // namespace
}  // namespace chalk
