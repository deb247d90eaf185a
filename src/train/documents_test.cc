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

/// A row for each field: its option, its sentence, its range and its default.
class Rows : public FieldVisitor {
 public:
  explicit Rows(const Attributes& options) : defaults_(texts_of([&](FieldVisitor& v) { options.show(v); })) {}
  void field(const Field& f, std::int64_t&) override { row(f, " N", f.range.text()); }
  void field(const Field& f, bool&) override { row(f, "", ""); }
  void field(const Field& f, double&) override { row(f, " X", f.range.text()); }
  void field(const Field& f, std::string&) override { row(f, " TEXT", ""); }
  void field(const Field& f, std::vector<std::int64_t>&) override { row(f, " N…", f.range.text()); }
  void field(const Field& f, std::vector<double>&) override { row(f, " X…", f.range.text()); }

  std::string text;

 private:
  void row(const Field& f, std::string_view placeholder, const std::string& range) {
    const auto& usual = defaults_.at(next_++).second;
    text += str("| | `--", with_dashes(f.name), placeholder, "` | ", f.help, " | ", range, " | ", usual, " |\n");
  }
  std::vector<std::pair<std::string, std::string>> defaults_;
  std::size_t next_ = 0;
};

TEST(Documents, ListTheOptimizers) {
  std::string table = "| `--optimizer` | with | is | it takes | without it |\n|---|---|---|---|---|\n";
  for (const auto name : Optimizer::names()) {
    const auto optimizer = Optimizer::named(name);
    const auto& definition = definition_of(optimizer);
    table += str("| `", name, "` | | ", definition.help.value, ": ", in_a_table(definition.formula), " | | |\n");
    Rows rows(optimizer.options());
    optimizer.options().show(rows);
    table += rows.text;
  }
  testing_support::expect_generated("docs/cli.md", "optimizers", table);
}

TEST(Documents, ListTheLosses) {
  std::string table = "| | with | is | it takes | without it |\n|---|---|---|---|---|\n";
  for (const bool likelihoods : {false, true}) {
    const std::string option = likelihoods ? "`--maximise`" : "`--loss`";
    for (const Loss& loss : all_losses()) {
      if (maximised(loss) != likelihoods) continue;
      table += str("| ", option, " `", name_of(loss), "` | | ", in_a_table(definition_of(loss).formula), " | | |\n");
      Rows rows(loss.options());
      loss.options().show(rows);
      table += rows.text;
    }
  }
  testing_support::expect_generated("docs/cli.md", "losses", table);
}

}  // namespace
}  // namespace chalk
