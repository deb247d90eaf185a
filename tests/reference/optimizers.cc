// Pages of optimizers.
#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/optimizers/optimizer.h"
#include "tests/reference/family.h"

namespace chalk::reference {
namespace {

Named of_optimizer(const Optimizer& optimizer, const Case& c) {
  const auto build = [&](Graph& g, StepContext& context, const std::map<std::string, double>& scalars) {
    const Value w = g.parameter("w", c.input, {}, /*trainable=*/true, ParameterRole::weight);
    const Value gradient = g.shared_input("g", c.input);
    context.lr = g.shared_input("lr");
    for (const auto& [name, value] : scalars) g.name(g.constant(value), name);
    add_update(context, w, gradient, /*decays=*/true, optimizer);
  };
  // What depends on the step alone becomes a constant: those of the step of the case.
  std::map<std::string, double> scalars;
  Graph tried;
  StepContext found;
  build(tried, found, {});
  for (const auto& scalar : found.scalars) scalars[scalar.name] = scalar.value(optimizer.options(), c.step - 1);
  Named about;
  StepContext context;
  build(about.graph, context, scalars);
  Graph& g = about.graph;
  about.names[g.find("w").id()] = "w";
  about.names[g.find("g").id()] = "g";
  about.names[context.lr.id()] = "eta";
  const auto updates = g.updates();
  for (const auto& [parameter, next] : updates) {
    auto name = std::string(g.value(parameter).name());
    if (name != "w") {
      name = name.substr(name.find('.') + 1);
      const auto own = c.names.find(name);
      if (own == c.names.end()) {
        ADD_FAILURE() << "names has no symbol for the state " << name;
      } else {
        name = own->second;
      }
      about.names[parameter] = name;
    }
    about.name(g.value(next), name + "'");
  }
  return about;
}

}  // namespace

Family optimizers() {
  return family_of(
      "optimizers", "An optimizer", "src/optimizers/optimizers.inc",
      "How a gradient g becomes a step of a parameter w. What is kept from step to step starts at 0; w′ is w after the "
      "step, and so on; t counts steps from 1, and η is the learning rate `lr` times the schedule's factor.",
      [](Family& family, auto& sources) {
        family.listed = Optimizer::names().size();
        count_recorded(family, "tests/optimizers/trajectories.txt",
                       {Optimizer::names().begin(), Optimizer::names().end()});
        for (const auto name : Optimizer::names()) {
          const auto optimizer = Optimizer::named(name);
          const auto& definition = definition_of(optimizer);
          const auto source = source_of(sources, family.name, std::string(name));
          auto page = new_page(family, name, "src/optimizers and tests/reference/optimizers.toml",
                               std::string(definition.help.value));
          page.table(
              {{"option", "in short"}, {{str("`--optimizer ", name, "`"), std::string(definition.formula.value)}}});
          page.heading("Formula");
          for (auto c : source.cases) {
            if (c.input.empty()) c.input = {1, 1};
            OptionSetter setter(c);
            const auto edited = optimizer.edited(setter);
            EXPECT_EQ(setter.set, static_cast<int>(c.options.size() + c.words.size())) << name << ": an unknown option";
            edited.check();
            if (c.formula.find('t') != std::string::npos) c.let.emplace("t", str(c.step));
            add_formulas(
                page, c, [&] { return of_optimizer(edited, c); }, edited.options());
          }
          page.heading("Options");
          page.table(options_table(fields_of(optimizer.options()), source, as_option));
          add_elsewhere(page, source);
          add_command(
              page, source.run.empty()
                        ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n --optimizer ", name, " --epochs 1")
                        : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

}  // namespace chalk::reference
