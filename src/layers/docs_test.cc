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

std::string what_is(const Layer& layer) {
  std::smatch number;
  const std::string example(layer.line.example);
  const bool counted = std::regex_search(example, number, std::regex("^\\d+"));
  return (counted ? layer.what_is(std::stol(number.str())) : std::string(layer.meaning.value)) +
         std::string(layer.details);
}

TEST(Documents, ListHowWeightsStart) {
  std::string table = "| `init` | draws |\n|---|---|\n";
  for (const auto& kind : weight_inits()) {
    const auto number = kind.number.empty() ? "" : str(", with the ", kind.number, ", ", shortest(kind.usual));
    table +=
        str("| [`", kind.word, "`](reference/initialisers/", kind.word, ".md)", number, " | ", kind.formula, " |\n");
  }
  testing_support::expect_generated("docs/networks.md", "inits", table);
}

TEST(Documents, ListTheLayers) {
  std::ostringstream table;
  table << "| in a line | `type` in TOML | what it is |\n|---|---|---|\n";
  for (const auto* layer : all_layers()) {
    table << "| " << (layer->line.form == Form::none ? "" : str("`", layer->line.example, "`")) << " | [`"
          << layer->name.value << "`](reference/layers/" << layer->name.value << ".md) | " << what_is(*layer) << " |\n";
  }
  testing_support::expect_generated("docs/networks.md", "layers", table.str());
}

}  // namespace
}  // namespace chalk
