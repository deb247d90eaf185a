// Pages of schedules and of averages of weights.
#include "src/base/text.h"
#include "src/schedules/average.h"
#include "src/schedules/schedule.h"
#include "tests/reference/family.h"

namespace chalk::reference {
Family schedules() {
  return family_of(
      "schedules", "A schedule", "src/schedules/schedules.inc",
      "How the learning rate changes over a run: f multiplies it. t is the number of steps done, S that of an epoch, T "
      "that of the run, r that of the warm-up, in which f = (t + 1)/(r + 1).",
      [](Family& family, auto& sources) {
        const auto forms = Schedule::forms();
        family.listed = all_schedules().size();
        count_recorded(family, "tests/schedules/trajectories.txt",
                       {Schedule::names().begin(), Schedule::names().end()});
        for (std::size_t i = 0; i < all_schedules().size(); ++i) {
          const auto& definition = *all_schedules()[i];
          const std::string name(definition.name.value);
          const auto source = source_of(sources, family.name, name);
          auto page = new_page(family, name, "src/schedules and tests/reference/schedules.toml",
                               std::string(definition.help.value));
          page.table(
              {{"option", "in short"}, {{str("`--schedule ", forms[i], "`"), std::string(definition.formula.value)}}});
          page.heading("Formula");
          for (const auto& c : source.cases) {
            const auto schedule = Schedule::parse(c.net);
            constexpr std::int64_t kSteps = 600, kEpoch = 10;
            std::vector<Point> points;
            const auto rise = static_cast<std::int64_t>(schedule.warmup() * kEpoch);
            for (const std::int64_t step : {0, 1, 7, 99, 100, 121, 300, 305, 450, 599}) {
              if (step < rise) continue;
              Observed seen;
              seen.reductions = step / 100;
              points.push_back({str("t := ", step, "\nS := ", kEpoch, "\nT := ", kSteps, "\nr := ", rise,
                                    "\nk := ", seen.reductions, "\n", c.given),
                                schedule.factor(step, kSteps, kEpoch, seen)});
            }
            OptionSetter setter(c);
            add_formulas(page, c, "f", points, schedule.parameters());
          }
          if (const auto options = options_table(fields_of(definition.defaults), source, as_key);
              !options.rows.empty()) {
            page.heading("Parameters");
            page.table(options);
          }
          page.heading("Elsewhere");
          page.text(str(definition.elsewhere.value, "."));
          add_command(page, source.run.empty() ? str("chalkgrad train --data digits --net 8c3-relu-gap-10n --schedule ",
                                                     quoted(source.cases[0].net), " --epochs 2")
                                               : source.run);
          family.pages.push_back(std::move(page));
        }
      });
}

Family averages() {
  return family_of("averages", "An average of weights", "src/schedules/averages.inc",
                   "What a model is made of instead of its last weights. w is a weight after a step, the n-th that is "
                   "averaged, a their average before it and a′ after it.",
                   [](Family& family, auto& sources) {
                     const auto forms = Average::forms();
                     family.listed = all_averages().size();
                     for (std::size_t i = 0; i < all_averages().size(); ++i) {
                       const auto& definition = *all_averages()[i];
                       const std::string name(definition.name.value);
                       const auto source = source_of(sources, family.name, name);
                       auto page = new_page(family, name, "src/schedules and tests/reference/averages.toml",
                                            std::string(definition.help.value));
                       page.table({{"option", "in short"},
                                   {{str("`--average ", forms[i], "`"), std::string(definition.formula.value)}}});
                       page.heading("Formula");
                       for (const auto& c : source.cases) {
                         const auto average = Average::parse(c.net);
                         std::vector<Point> points;
                         for (const std::int64_t n : {1, 2, 7}) {
                           const double share = definition.share.value(average.parameters(), n);
                           points.push_back({str("a := 0.25\nw := 1.5\nn := ", n), 0.25 + share * 1.25});
                         }
                         add_formulas(page, c, "a'", points, average.parameters());
                       }
                       page.heading("Parameters");
                       page.table(options_table(fields_of(definition.defaults), source, as_key));
                       page.heading("Elsewhere");
                       page.text(str(definition.elsewhere.value, "."));
                       add_command(page, source.run);
                       family.pages.push_back(std::move(page));
                     }
                   });
}

}  // namespace chalk::reference
