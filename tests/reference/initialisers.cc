// Pages of how weights start.
#include "chalkgrad/weight_init.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "tests/reference/family.h"

namespace chalk::reference {
Family initialisers() {
  return family_of(
      "initialisers", "How weights start", "include/chalkgrad/weight_inits.inc",
      "What a layer's weights are before training: `init` of the layers in TOML that have it. n is how many inputs go "
      "into "
      "an output (fan-in), m how many outputs an input goes into (fan-out).",
      [](Family& family, auto& sources) {
        family.listed = weight_inits().size();
        for (const auto& kind : weight_inits()) {
          const std::string name(kind.word);
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "include/chalkgrad/weight_inits.inc and tests/reference/initialisers.toml",
                               std::string(kind.formula));
          page.heading("Formula");
          for (const auto& c : source.cases) {
            std::vector<Point> points;
            for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{12, 20}, {25, 500}, {3, 3}}) {
              const WeightInit init = WeightInit::parse(c.net.empty() ? name : c.net);
              points.push_back({str("n := ", in, "\nm := ", out, "\nc := ", shortest(init.number()), "\n", c.given),
                                init.init(in, out).value});
            }
            const auto symbol = c.formula.substr(0, c.formula.find(' '));
            add_formulas(page, c, symbol, points, {});
          }
          if (!kind.number.empty()) {
            page.heading("Number");
            page.text(str("A number may follow: `", kind.word, ":0.1`. It is the ", kind.number, ", ",
                          kind.least == 0 ? "above 0" : "any number", ", and ", shortest(kind.usual),
                          " if it is left out."));
          }
          page.heading("Elsewhere");
          std::string elsewhere(kind.elsewhere);
          const auto bar = elsewhere.find(" | ");
          page.table({{"", ""}, {{"PyTorch", elsewhere.substr(0, bar)}, {"Keras", elsewhere.substr(bar + 3)}}});
          if (!kind.source.empty()) page.text(str("Source: ", kind.source, "."));
          if (!source.notes.empty()) page.text(source.notes);
          add_command(page,
                      str("chalkgrad train --data digits --net 'layer = [{type = \"conv\", filters = 8, init = \"",
                          kind.word, "\"}, {chain = \"relu-gap-10n\"}]' --epochs 1"));
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference
