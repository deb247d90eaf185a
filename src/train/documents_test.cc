// The tables of losses, optimizers and their options in docs/cli.md.
#include <gtest/gtest.h>

#include "src/base/document_testing.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/losses/loss.h"
#include "src/optimizers/optimizer.h"

namespace chalk {
namespace {

/// A bar would end the cell.
std::string in_a_table(std::string_view formula) {
  std::string text;
  for (const char c : formula) text += c == '|' ? str('\\', c) : std::string(1, c);
  return text;
}

/// "`--momentum`, `--nesterov`"
std::string options_in(const Attributes& options) {
  std::string text;
  for (const auto& [name, value] : texts_of([&](FieldVisitor& v) { options.show(v); }))
    text += str(text.empty() ? "" : ", ", "`--", with_dashes(name), "`");
  return text;
}

TEST(Documents, ListTheOptimizers) {
  std::string table = "| `--optimizer` | is | with |\n|---|---|---|\n";
  for (const auto name : Optimizer::names()) {
    const auto optimizer = Optimizer::named(name);
    const auto& definition = definition_of(optimizer);
    table += str("| [`", name, "`](reference/optimizers/", name, ".md) | ", definition.help.value, ": ",
                 in_a_table(definition.formula), " | ", options_in(optimizer.options()), " |\n");
  }
  testing_support::expect_generated("docs/cli.md", "optimizers", table);
}

TEST(Documents, ListTheLosses) {
  std::string table = "| | is | with |\n|---|---|---|\n";
  for (const bool likelihoods : {false, true}) {
    const std::string option = likelihoods ? "`--maximise`" : "`--loss`";
    for (const Loss& loss : all_losses()) {
      if (maximised(loss) != likelihoods) continue;
      const auto name = name_of(loss);
      table += str("| ", option, " [`", name, "`](reference/losses/", name, ".md) | ",
                   in_a_table(definition_of(loss).formula), " | ", options_in(loss.options()), " |\n");
    }
  }
  testing_support::expect_generated("docs/cli.md", "losses", table);
}

}  // namespace
}  // namespace chalk
