// Optimizers: how a gradient becomes a step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/attributes.h"
#include "chalkgrad/optimizers.h"

namespace chalk {

/// An optimizer with its options: any of the structs of optimizers.h.
class Optimizer {
 public:
  Optimizer() : Optimizer(Sgd{}) {}
  template <class T>
  requires requires(T t, FieldVisitor& v) {
    t.visit(v);
    T::kName;
  }
  Optimizer(T options) : name_(T::kName), options_(std::move(options)) {}  // NOLINT: its options are the optimizer
  /// The one of that name ("sgd") with its default options. Throws InputError listing the names there are.
  static Optimizer named(std::string_view name);
  /// All names, in the order of the list.
  static std::span<const std::string_view> names();

  std::string_view name() const { return name_; }
  /// Learning rate; a schedule multiplies it.
  double lr() const;
  /// All its rates by the names of their options, lr and, where some parameters have one of their own, that (adamw_lr
  /// of Muon). A schedule multiplies all of them by the same factor.
  std::vector<std::pair<std::string, double>> rates() const;
  /// A copy with this lr, and with its other rates, if it has any, in the same ratio to it as before. Both rates must
  /// be above 0.
  Optimizer with_lr(double lr) const;
  /// Its options; std::bad_cast if it is another optimizer.
  template <class T>
  const T& as() const {
    return options_.as<T>();
  }
  const Attributes& options() const { return options_; }
  /// A copy with options that `visitor` may have changed.
  Optimizer edited(FieldVisitor& visitor) const;
  /// Throws InputError naming an option that is out of its range or contradicts another.
  void check() const;
  bool operator==(const Optimizer&) const = default;

 private:
  std::string_view name_;
  Attributes options_;
};

}  // namespace chalk
