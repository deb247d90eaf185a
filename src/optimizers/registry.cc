#include <algorithm>
#include <array>
#include <type_traits>

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

/// Whether an option of that name is a learning rate.
bool is_rate(std::string_view name) { return name == "lr" || name.ends_with("_lr"); }

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
  double lr = 0;
  FieldFunction reader([&]<class T>(const Field& field, const T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (field.name == "lr") lr = value;
    }
  });
  options_.show(reader);
  return lr;
}

std::vector<std::pair<std::string, double>> Optimizer::rates() const {
  std::vector<std::pair<std::string, double>> all;
  FieldFunction reader([&]<class T>(const Field& field, const T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (is_rate(field.name)) all.emplace_back(field.name, value);
    }
  });
  options_.show(reader);
  return all;
}

Optimizer Optimizer::with_lr(double lr) const {
  const double factor = lr / this->lr();
  FieldFunction setter([&]<class T>(const Field& field, T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (is_rate(field.name)) value = field.name == "lr" ? lr : value * factor;
    }
  });
  return edited(setter);
}

Optimizer Optimizer::edited(FieldVisitor& visitor) const {
  Optimizer copy = *this;
  copy.options_ = options_.edited(visitor);
  return copy;
}

void Optimizer::check() const {
  check_fields([&](FieldVisitor& v) { options_.show(v); });
  if (const auto together = definition_of(*this).check) together(options_);
}

}  // namespace chalk
