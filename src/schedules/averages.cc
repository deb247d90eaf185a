// Averages of weights.
#include <algorithm>
#include <array>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/parameters.h"
#include "src/schedules/average.h"

namespace chalk {
namespace {

constexpr double kMost = 1'000'000;  // epochs, as of a run
constexpr std::string_view kFamily = "average", kNone = "none";

constexpr std::array kDefinitions{
#define CHALK_AVERAGE(name) &average_##name,
#include "src/schedules/averages.inc"
#undef CHALK_AVERAGE
};

ParametersForm form_of(const AverageDefinition& definition) {
  return {kFamily, definition.name.value, definition.defaults.value, definition.nameless.value};
}

const AverageDefinition& definition_named(std::string_view name, std::string_view text) {
  for (const auto* definition : kDefinitions) {
    if (definition->name.value == name) return *definition;
  }
  const auto guess = did_you_mean(name, Average::names());
  auto forms = Average::forms();
  forms.emplace_back(kNone);
  cannot_read(kFamily, text, str(" is not known", guess.empty() ? str("; use ", alternatives(forms)) : guess));
}

}  // namespace

void Ema::visit(FieldVisitor& v) {
  v.field(Field("decay", Range::from_below(0, 1), "How much of the average stays in a step").required("0.999"), decay);
  v.field({"from", Range::from_to(0, kMost), "Epochs before the first step that is averaged"}, from);
}

const AverageDefinition average_ema{
    .name = Ema::kName,
    .help = "The weights of late, more the later",
    .formula = "a ← a + (1 − decay) · (w − a) at each step, from a = w",
    .elsewhere =
        "PyTorch AveragedModel with get_ema_multi_avg_fn(DECAY) and use_buffers=True; Keras use_ema, "
        "ema_momentum=DECAY, "
        "which begins with the first weights and leaves running statistics as they are",
    .defaults = Attributes(Ema{}),
    .nameless = 1,
    .averages = [](const Attributes& p, const AverageTime& t) { return t.step >= p.as<Ema>().from * t.epoch; },
    .before = [](const Attributes& p,
                 const AverageTime& t) { return std::max<std::int64_t>(0, t.step - p.as<Ema>().from * t.epoch); },
    .share = [](const Attributes& p, std::int64_t) { return 1 - p.as<Ema>().decay; },
    .least_epochs = [](const Attributes& p) { return p.as<Ema>().from + 1; },
    .measures = false};

void Swa::visit(FieldVisitor& v) {
  v.field(Field("from", Range::from_to(0, kMost), "Epochs of which no weights are averaged").required("10"), from);
  v.field({"every", Range::from_to(1, kMost), "Epochs from one weight that is averaged to the next"}, every);
}

const AverageDefinition average_swa{
    .name = Swa::kName,
    .help = "The mean of the weights at the ends of epochs",
    .formula =
        "a ← a + (w − a) / (n + 1) after n others, from a = w, at the end of each `every`th epoch after the first "
        "`from`",
    .elsewhere = "PyTorch AveragedModel, updated where epoch >= FROM, and update_bn() then; Keras has none",
    .defaults = Attributes(Swa{}),
    .nameless = 1,
    .averages =
        [](const Attributes& p, const AverageTime& t) {
          const auto& [from, every] = p.as<Swa>();
          const auto epochs = (t.step + 1) / t.epoch - from;
          return (t.step + 1) % t.epoch == 0 && epochs > 0 && epochs % every == 0;
        },
    .before =
        [](const Attributes& p, const AverageTime& t) {
          const auto& [from, every] = p.as<Swa>();
          return std::max<std::int64_t>(0, t.step / t.epoch - from) / every;
        },
    .share = [](const Attributes&, std::int64_t n) { return 1 / static_cast<double>(n); },
    .least_epochs = [](const Attributes& p) { return p.as<Swa>().from + p.as<Swa>().every; },
    .measures = true};

std::span<const AverageDefinition* const> all_averages() { return kDefinitions; }

const AverageDefinition& definition_of(const Average& average) {
  return **std::ranges::find(kDefinitions, average.name(), [](const auto* d) { return d->name.value; });
}

std::vector<std::string_view> Average::names() {
  std::vector<std::string_view> all;
  for (const auto* definition : kDefinitions) all.push_back(definition->name);
  return all;
}

std::vector<std::string> Average::forms() {
  std::vector<std::string> all;
  for (const auto* definition : kDefinitions) all.push_back(chalk::form_of(form_of(*definition)));
  return all;
}

Average Average::parse(std::string_view text) {
  Average average;
  if (text.empty() || text == kNone) return average;
  const auto& definition = definition_named(name_in(text), text);
  average.name_ = definition.name;
  average.parameters_ = read_parameters(form_of(definition), text, text);
  return average;
}

std::string Average::text() const {
  return *this ? written(form_of(definition_of(*this)), parameters_) : std::string();
}

bool Average::begun(std::int64_t step, std::int64_t steps_per_epoch) const {
  return definition_of(*this).before.value(parameters_, {step, steps_per_epoch}) > 0;
}

double Average::share(std::int64_t step, std::int64_t steps_per_epoch) const {
  const auto& definition = definition_of(*this);
  const AverageTime time{step, steps_per_epoch};
  if (!definition.averages.value(parameters_, time)) return 0;
  return definition.share.value(parameters_, definition.before.value(parameters_, time) + 1);
}

bool Average::measures_after(std::int64_t step, std::int64_t steps_per_epoch) const {
  if (!*this) return false;
  const auto& definition = definition_of(*this);
  return definition.measures && definition.averages.value(parameters_, {step, steps_per_epoch});
}

void Average::check(std::int64_t epochs) const {
  if (!*this) return;
  check_fields([&](FieldVisitor& v) { parameters_.show(v); });
  const auto least = definition_of(*this).least_epochs.value(parameters_);
  if (epochs >= least) return;
  throw InputError(str("average \"", text(), "\" needs ", least,
                       " epochs before anything is averaged, and the run has ", epochs,
                       "; give it more of them, or begin earlier"));
}

}  // namespace chalk
