// Pages of losses.
#include <gtest/gtest.h>

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/losses/loss.h"
#include "tests/reference/family.h"

namespace chalk::reference {
namespace {

std::string_view text_of(Target target) {
  switch (target) {
    case Target::numbers:
      return "numbers, of the output's shape";
    case Target::classes:
      return "a label, or a distribution over the classes";
    case Target::one_class:
      return "a label";
    case Target::places:
      return "a label for each place";
  }
  return "";
}

Named of_loss(const Loss& loss, const Case& c) {
  const auto& definition = definition_of(loss);
  Named about;
  Graph& g = about.graph;
  const Value y = g.input("y", c.input);
  const auto shape = target_shape(loss, c.input);
  Value target;
  if (c.target.empty()) {
    target = g.input("t", shape, definition.target.value != Target::numbers);
    about.names[target.id()] = "t";
  } else {
    target = reshape(constant_vector(g, c.target), shape);
  }
  const Value value = definition.build.value(loss.options(), y, target);
  about.names[y.id()] = "y";
  about.name(value, maximised(loss) ? "ell" : "L");
  if (definition.weight) {
    if (const Value weight = definition.weight(loss.options(), y, target)) about.name(weight, "omega");
  }
  return about;
}

}  // namespace

Family losses() {
  return family_of(
      "losses", "A loss", "include/chalkgrad/losses.inc",
      "What training makes small, and likelihoods, which it makes large. y is the network's output for one sample, t "
      "the "
      "target; a batch has the mean.",
      [](Family& family, auto& sources) {
        family.listed = all_losses().size();
        std::vector<std::string_view> stored;
        for (const Loss& loss : all_losses()) stored.push_back(stored_name(loss));
        count_recorded(family, "tests/losses/pytorch.txt", stored);
        for (const Loss& loss : all_losses()) {
          const auto& definition = definition_of(loss);
          const std::string name(name_of(loss));
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "src/losses and tests/reference/losses.toml", source.about);
          const std::string option = maximised(loss) ? "--maximise" : "--loss";
          page.table({{"option", "in short", "a target is", "a last softmax"},
                      {{str("`", option, " ", name, "`"), std::string(definition.formula.value),
                        std::string(text_of(definition.target.value)),
                        definition.of_softmax ? "is part of it: y is what goes into that softmax"
                                              : "is a layer like any other"}}});
          page.heading("Formula");
          for (auto c : source.cases) {
            OptionSetter setter(c);
            const auto edited = loss.edited(setter);
            EXPECT_EQ(setter.set, static_cast<int>(c.options.size() + c.words.size())) << name << ": an unknown option";
            if (!c.target.empty()) c.given += vector_definition("t", c.target);
            add_formulas(
                page, c, [&] { return of_loss(edited, c); }, edited.options());
          }
          if (const auto options = options_table(fields_of(loss.options()), source, as_option); !options.rows.empty()) {
            page.heading("Options");
            page.table(options);
          }
          add_elsewhere(page, source);
          add_command(page, source.run.empty() ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n ", option,
                                                     " ", name, " --epochs 1")
                                               : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference
