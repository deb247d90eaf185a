#include "chalkgrad/derive.h"

#include <algorithm>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/derive/brief.h"
#include "src/derive/deriver.h"
#include "src/derive/document.h"
#include "src/derive/numbers.h"
#include "src/derive/update.h"
#include "src/math/check_about.h"
#include "src/math/print.h"
#include "src/optimizers/optimizer.h"

namespace chalk {
namespace calculus {
namespace {

/// Of sections with a network of their own, or of those without.
std::string equations_of(const Derivation& derivation, bool own) {
  std::string text;
  for (const auto& section : derivation.sections) {
    if (section.network.empty() == own) continue;
    text += "\n# " + section.title + "\n" + section.network;
    for (const auto& chain : section.chains) {
      std::string before = chain.left.text();
      for (const auto& step : chain.steps) {
        text += str(before, " = ", step.formula.text(), before.empty() ? "" : chain.ranges, "\n");
        before.clear();
      }
    }
  }
  return text;
}

void verify(Derivation& derivation, const Subject& subject, const std::string& text, bool own,
            const DeriveOptions& options) {
  const auto report = math::check_about(subject.graph, subject.names, subject.samples, subject.given + text,
                                        "derivation", {.seed = options.seed, .trials = options.trials});
  std::size_t line = 0;
  for (auto& section : derivation.sections) {
    if (section.network.empty() == own) continue;
    for (auto& chain : section.chains) {
      for (auto& step : chain.steps) {
        const auto& judged = report.lines.at(line++);
        if (judged.verdict != Verdict::verified && judged.verdict != Verdict::except) {
          throw Error(str("this equation is not true of the network, so that nothing is derived: ", chain.left.text(),
                          " = ", step.formula.text(), " (", step.rule, "): ", judged.message,
                          "; please report it with the network"));
        }
        step.residual = judged.residual;
        step.remark = judged.message;
        ++derivation.equations;
      }
    }
  }
  for (const auto& convention : report.conventions) {
    if (std::ranges::find(derivation.conventions, convention) == derivation.conventions.end())
      derivation.conventions.push_back(convention);
  }
}

void add_update_section(Derivation& derivation, const Optimizer& optimizer, bool ascends,
                        const DeriveOptions& options) {
  const auto subject = update_of(optimizer, ascends);
  const auto& definition = definition_of(optimizer);
  DerivedSection section{.title = str("Update: ", optimizer.name()), .kind = "update"};
  section.notes = {str(definition.help.value, "."), std::string(definition.formula.value)};
  section.network = "part update\n" + network_statement(subject);
  write_forward(derivation, subject, std::move(section));
  Derivation own;
  own.sections = {derivation.sections.back()};
  own.sections[0].network.clear();
  verify(derivation, subject, equations_of(own, false), true, options);
}

}  // namespace

Derivation derive(const Subject& subject, const DeriveOptions& options, DerivativeOf derivative) {
  auto derivation = written(subject, derivative);
  verify(derivation, subject, equations_of(derivation, false), false, options);
  return derivation;
}

}  // namespace calculus

Derivation derive(const Network& network, const Loss& loss, const DeriveOptions& options) {
  constexpr std::int64_t kMuch = 10'000'000;
  const auto usual = cost(network.graph()).forward > kMuch ? 2 : 3;
  const auto subject =
      calculus::subject_of(network, loss, options.samples > 0 ? options.samples : usual, options.notation);
  auto derivation = calculus::derive(subject, options);
  if (options.brief) calculus::shorten(derivation);
  if (options.data) calculus::add_numbers(derivation, subject, network, loss, options);
  if (options.optimizer) calculus::add_update_section(derivation, *options.optimizer, maximised(loss), options);
  const auto& text = network.text();
  derivation.title = str("Derivation of ", is_toml(text) ? "a network" : text, ", ", name_of(loss));
  return derivation;
}

std::string DerivedFormula::text() const { return math::to_text(*tree_); }
std::string DerivedFormula::latex() const { return math::to_latex(*tree_); }
std::string DerivedFormula::mathml() const { return math::to_mathml(*tree_); }

std::string to_check(const Derivation& derivation) {
  return str(derivation.samples > 1 ? str("samples ", derivation.samples, "\n") : "", derivation.network,
             calculus::equations_of(derivation, false), calculus::equations_of(derivation, true));
}

std::string to_text(const Derivation& derivation) {
  std::string text;
  if (derivation.sample) {
    text += str("Numbers: ", derivation.sample->about, "\n");
    for (const auto& symbol : derivation.symbols) {
      const bool known = calculus::has_chain(derivation, symbol.name);  // whose numbers stand beside it
      if (symbol.numbers && !known) text += str("  ", symbol.name, " = ", calculus::text_of(*symbol.numbers), "\n");
    }
  }
  for (const auto& section : derivation.sections) {
    text += str(text.empty() ? "" : "\n", section.title, "\n");
    for (const auto& note : section.notes) text += str("  ", note, "\n");
    for (const auto& chain : section.chains) {
      text += str("\n  ", chain.left.text(), chain.ranges, "\n");
      for (const auto& step : chain.steps) text += str("    = ", step.formula.text(), "    (", step.rule, ")\n");
      if (!chain.note.empty()) text += str("    ", chain.note, "\n");
      if (chain.numbers) text += str("    ≈ ", calculus::text_of(*chain.numbers), "\n");
      if (const auto& entry = chain.entry) {
        text += str("    ", entry->left.text(), "\n      = ", entry->named.text(), "\n      ≈ ", entry->numbers.text(),
                    "\n      ≈ ", calculus::text_of(entry->value),
                    entry->left_out > 0 ? str("    (", calculus::left_out_of(*entry), ")") : "", "\n");
      }
    }
  }
  return text;
}

}  // namespace chalk
