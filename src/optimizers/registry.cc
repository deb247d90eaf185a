#include <algorithm>
#include <array>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/optimizers/optimizer.h"

namespace chalk {
namespace {

constexpr std::array kNames{
#define CHALK_OPTIMIZER(name) std::string_view(#name),
#include "src/optimizers/optimizers.inc"
#undef CHALK_OPTIMIZER
};

constexpr std::array kDefinitions{
#define CHALK_OPTIMIZER(name) &optimizer_##name,
#include "src/optimizers/optimizers.inc"
#undef CHALK_OPTIMIZER
};

const OptimizerDefinition* find(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  return found == kNames.end() ? nullptr : kDefinitions[static_cast<std::size_t>(found - kNames.begin())];
}

class RateReader : public FieldVisitor {
 public:
  void field(const Field&, std::int64_t&) override {}
  void field(const Field&, bool&) override {}
  void field(const Field& field, double& value) override {
    if (field.name == "lr") lr = value;
  }
  void field(const Field&, std::string&) override {}
  void field(const Field&, std::vector<std::int64_t>&) override {}
  void field(const Field&, std::vector<double>&) override {}

  double lr = 0;
};

}  // namespace

std::span<const std::string_view> Optimizer::names() { return kNames; }

const OptimizerDefinition& definition_of(const Optimizer& optimizer) { return *find(optimizer.name()); }

Optimizer Optimizer::named(std::string_view name) {
  const auto* found = find(name);
  if (!found) {
    const auto guess = did_you_mean(name, kNames);
    throw InputError(str("optimizer ", in_quotes(name), " is not known",
                         guess.empty() ? str("; use ", alternatives({kNames.begin(), kNames.end()})) : guess));
  }
  Optimizer optimizer;
  optimizer.name_ = *std::ranges::find(kNames, name);
  optimizer.options_ = found->defaults;
  return optimizer;
}

double Optimizer::lr() const {
  RateReader reader;
  options_.show(reader);
  return reader.lr;
}

Optimizer Optimizer::edited(FieldVisitor& visitor) const {
  Optimizer copy = *this;
  copy.options_ = options_.edited(visitor);
  return copy;
}

void Optimizer::check() const {
  RangeChecker checker;
  options_.show(checker);
  if (const auto together = definition_of(*this).check) together(options_);
}

}  // namespace chalk
