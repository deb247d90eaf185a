// The tables of layers in docs/networks.md.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "src/base/document_testing.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

using Form = Notation::Form;

/// Each key on a line of its own: "`kernel` (3): rows and columns of each".
class KeyPrinter : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t& value) override { put(field, std::to_string(value)); }
  void field(const Field& field, bool& value) override { put(field, value ? "true" : "false"); }
  void field(const Field& field, double& value) override { put(field, shortest(value)); }
  void field(const Field& field, std::string& value) override { put(field, "`\"" + value + "\"`"); }
  void field(const Field& field, std::vector<std::int64_t>&) override { put(field, "a list"); }
  void field(const Field& field, std::vector<double>&) override { put(field, "a list"); }
  void pair(const Field& field, Pair& value, std::string*) override {
    put(field, value[0] == value[1] ? std::to_string(value[0]) : str("[", value[0], ", ", value[1], "]"));
  }
  void choice(const Field& field, std::span<const Word> words, std::size_t& index) override {
    std::string text;
    for (const auto& word : words) {
      const bool truth = word.word == "true" || word.word == "false";
      const auto written = truth ? std::string(word.word) : str("`\"", word.word, "\"`");
      text += str(text.empty() ? "" : ", ", written, word.meaning.empty() ? "" : ": ", word.meaning);
    }
    EXPECT_EQ(index, 0u) << field.name << ": the usual word comes first in the documentation";
    put(field, text);
  }
  void words(const Field& field, std::vector<std::string>&) override { put(field, ""); }

  std::string keys;

 private:
  void put(const Field& field, const std::string& usual) {
    keys += str(keys.empty() ? "`" : "<br>`", field.name, "`");
    if (!field.example.empty()) keys += str(" such as `", field.example, "`");
    if (!field.must_be_given) keys += str(" (", usual, ")");
    if (!field.help.empty()) keys += str(": ", field.help);
  }
};

std::string what_is(const Layer& layer) {
  std::smatch number;
  const std::string example(layer.line.example);
  const bool counted = std::regex_search(example, number, std::regex("^\\d+"));
  return (counted ? layer.what_is(std::stol(number.str())) : std::string(layer.meaning.value)) +
         std::string(layer.details);
}

TEST(AllLayers, HowTheirWeightsStartIsInATableOfNetworksInText) {
  std::string table = "| `init` | draws | source | PyTorch | Keras |\n|---|---|---|---|---|\n";
  for (const auto& kind : weight_inits()) {
    const auto number = kind.number.empty() ? "" : str(", with the ", kind.number, ", ", shortest(kind.usual));
    table += str("| `", kind.word, "`", number, " | ", kind.formula, " | ", kind.source, " | ", kind.elsewhere, " |\n");
  }
  testing_support::expect_generated("docs/networks.md", "inits", table);
}

TEST(AllLayers, AreInTheTableOfNetworksInText) {
  std::ostringstream table;
  table << "| in a line | `type` in TOML | what it is |\n|---|---|---|\n";
  for (const auto* layer : all_layers()) {
    table << "| " << (layer->line.form == Form::none ? "" : str("`", layer->line.example, "`")) << " | `"
          << layer->name.value << "` | " << what_is(*layer) << " |\n";
  }
  testing_support::expect_generated("docs/networks.md", "layers", table.str());
}

TEST(AllLayers, HaveTheirKeysInATableOfNetworksInText) {
  std::ostringstream table;
  table << "| `type` | keys (and their defaults) |\n|---|---|\n";
  std::string types, keys;  // of a row: layers with the same keys share it
  const auto end_row = [&] {
    if (!keys.empty()) table << "| " << types << " | " << keys << " |\n";
  };
  for (const auto* layer : all_layers()) {
    KeyPrinter printer;
    layer->options.show(printer);
    const auto type = str("`", layer->name.value, "`");
    if (printer.keys == keys) {
      types += ", " + type;
    } else {
      end_row();
      types = type;
      keys = printer.keys;
    }
  }
  end_row();
  testing_support::expect_generated("docs/networks.md", "keys of layers", table.str());
}

}  // namespace
}  // namespace chalk
