// Pages of data sources.
#include "chalkgrad/data.h"
#include "src/base/text.h"
#include "tests/reference/family.h"

namespace chalk::reference {
Family sources() {
  return family_of(
      "sources", "Data", "src/data/sources/sources.inc",
      "Where samples come from: `--data` of the commands. [formats.md](../../formats.md) has the files' formats.",
      [](Family& family, auto& all) {
        family.listed = data_sources().size();
        for (const auto* data : data_sources()) {
          const std::string name(data->word);
          const auto source = source_of(all, family.name, name);
          auto page =
              new_page(family, name, "src/data/sources and tests/reference/sources.toml", std::string(data->about));
          page.table(
              {{"option", "in C++"},
               {{str("`--data ", data->form(), "`"),
                 str("`load_dataset(\"", name, data->argument.empty() ? "" : str(":", data->example), "\")`")}}});
          if (!source.notes.empty()) page.text(source.notes);
          if (data->options != nullptr) {
            page.heading("Options");
            page.text("They follow the path, each as `,name=value`.");
            page.table(options_table(data->options, source, as_setting));
          }
          add_elsewhere(page, source);
          add_command(page, source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference
