// The tables of schedules and averages in docs/cli.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "src/base/document_testing.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/schedules/average.h"
#include "src/schedules/schedule.h"

namespace chalk {
namespace {

/// The example of those parameters that must be given: "step:30".
std::string example_of(std::string_view name, const Attributes& defaults) {
  std::string text(name);
  FieldFunction writer([&](const Field& field, const auto&) {
    if (field.must_be_given) text += str(":", field.example);
  });
  defaults.show(writer);
  return text;
}

/// "`epochs`, `factor`"
std::string parameters_of(const Attributes& parameters) {
  std::string text;
  for (const auto& [name, value] : texts_of([&](FieldVisitor& v) { parameters.show(v); }))
    text += str(text.empty() ? "" : ", ", "`", name, "`");
  return text;
}

/// Its rate over 90 epochs, of which the last 70 bring no better loss.
std::string picture_of(const Schedule& schedule) {
  constexpr std::int64_t kEpochs = 90, kEvery = 3;
  constexpr const char* kHeights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string picture;
  Observed seen;
  for (std::int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const double factor = schedule.factor(epoch, kEpochs, 1, seen);
    if (epoch % kEvery == 0) picture += kHeights[std::lround(std::clamp(factor, 0.0, 1.0) * 7)];
    seen = schedule.observe(seen, 1.0 / static_cast<double>(std::min<std::int64_t>(epoch, 20) + 1), false);
  }
  return picture;
}

TEST(Documents, ListTheSchedules) {
  std::string table = "| `--schedule` | over 90 epochs | is | with |\n|---|---|---|---|\n";
  const auto forms = Schedule::forms();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const auto& definition = *all_schedules()[i];
    table +=
        str("| [`", forms[i], "`](reference/schedules/", definition.name.value, ".md) | ",
            picture_of(Schedule::parse(example_of(definition.name, definition.defaults))), " | ", definition.help.value,
            ": ", definition.formula.value, " | ", parameters_of(definition.defaults), " |\n");
  }
  testing_support::expect_generated("docs/cli.md", "schedules", table);
}

TEST(Documents, ListTheAverages) {
  std::string table = "| `--average` | is | with |\n|---|---|---|\n";
  const auto forms = Average::forms();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const auto& definition = *all_averages()[i];
    table += str("| [`", forms[i], "`](reference/averages/", definition.name.value, ".md) | ", definition.help.value,
                 ": ", definition.formula.value, " | ", parameters_of(definition.defaults), " |\n");
  }
  testing_support::expect_generated("docs/cli.md", "averages", table);
}

}  // namespace
}  // namespace chalk
