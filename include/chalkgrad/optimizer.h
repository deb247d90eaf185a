// Optimizers: how a gradient becomes a step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chalkgrad/attributes.h"

namespace chalk {

// Every optimizer is a struct of its options. In the formulas w is a parameter, lr the learning rate of the step, and
// g = ∇loss + weight_decay · w; weight decay is left out for biases (parameters of one axis).

/// Stochastic gradient descent:
///   v ← momentum · v + g,   w ← w − lr · v   (Nesterov: w ← w − lr · (g + momentum · v); Sutskever et al. 2013)
struct Sgd {
  double lr = 0.05;         ///< > 0
  double momentum = 0.9;    ///< 0 <= momentum < 1
  bool nesterov = false;    ///< needs momentum > 0
  double weight_decay = 0;  ///< >= 0

  static constexpr std::string_view kName = "sgd";
  void visit(FieldVisitor& v);
  bool operator==(const Sgd&) const = default;
};
inline Sgd sgd(const Sgd& options) { return options; }

/// Adagrad (Duchi, Hazan & Singer 2011), as in PyTorch: after t earlier steps,
///   s ← s + g²,   w ← w − lr / (1 + lr_decay · t) · g / (√s + ε)
struct Adagrad {
  double lr = 0.01;                ///< > 0
  double lr_decay = 0;             ///< >= 0
  double initial_accumulator = 0;  ///< >= 0: s before the first step
  double epsilon = 1e-10;          ///< >= 1e-30: where no gradient has come yet, the step is 0 / ε and not 0 / 0
  double weight_decay = 0;         ///< >= 0

  static constexpr std::string_view kName = "adagrad";
  void visit(FieldVisitor& v);
  bool operator==(const Adagrad&) const = default;
};

/// An optimizer with its options: any of the structs above.
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
