// Schedules: the learning rate over time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/attributes.h"

namespace chalk {

// Every schedule is a struct of its parameters. In the formulas f is the factor of Optimizer::lr(), t the number of
// steps done before this one (0, 1, …), e = t / steps in an epoch, ⌊e⌋ the number of whole epochs done; r is the number
// of steps of the warm-up, T that of the run, and x = (t − r) / (T − r), or, where a length of its own is given,
// x = (t − r) / (steps in that many epochs), at most 1. The rate changes from step to step, not only between epochs,
// except where ⌊e⌋ stands in the formula. The first parameters may be written without their names.

/// f = 1
struct ConstantRate {
  static constexpr std::string_view kName = "constant";
  void visit(FieldVisitor&) {}
  bool operator==(const ConstantRate&) const = default;
};

/// f = factor^⌊e / epochs⌋
struct StepDecay {
  double epochs = 1;    ///< > 0: after every so many epochs, those of the warm-up counted, the rate is multiplied by
  double factor = 0.1;  ///< > 0

  static constexpr std::string_view kName = "step";
  void visit(FieldVisitor& v);
  bool operator==(const StepDecay&) const = default;
};

/// f = factor^n, where n of the epochs are over
struct MultiStepDecay {
  std::vector<double> epochs{1};  ///< > 0 and growing; at least one: at each of them the rate is multiplied by
  double factor = 0.1;            ///< > 0

  static constexpr std::string_view kName = "multi-step";
  void visit(FieldVisitor& v);
  bool operator==(const MultiStepDecay&) const = default;
};

/// f = factor^(e / epochs), Keras' ExponentialDecay with decay_steps = the steps in so many epochs; with epochs = 1, at
/// the beginnings of epochs what PyTorch's ExponentialLR gives, and smooth between them
struct ExponentialDecay {
  double factor = 0.95;  ///< > 0
  double epochs = 1;     ///< > 0: in which the rate is multiplied by the factor once

  static constexpr std::string_view kName = "exponential";
  void visit(FieldVisitor& v);
  bool operator==(const ExponentialDecay&) const = default;
};

/// f = factor^⌊e⌋: DeepCL's annealing
struct Annealing {
  double factor = 0.95;  ///< > 0

  static constexpr std::string_view kName = "anneal";
  void visit(FieldVisitor& v);
  bool operator==(const Annealing&) const = default;
};

/// f = to + (1 − to) · (1 − x)^power
struct PolynomialDecay {
  double power = 1;   ///< > 0
  double to = 0;      ///< 0 … 1: where it ends
  double epochs = 0;  ///< >= 0: its length; 0: to the end of the run

  static constexpr std::string_view kName = "polynomial";
  void visit(FieldVisitor& v);
  bool operator==(const PolynomialDecay&) const = default;
};

/// f = from + (to − from) · x
struct LinearRate {
  double from = 1, to = 0;  ///< >= 0
  double epochs = 0;        ///< >= 0: its length; 0: to the end of the run

  static constexpr std::string_view kName = "linear";
  void visit(FieldVisitor& v);
  bool operator==(const LinearRate&) const = default;
};

/// f = √((r + 1) / (t + 1)) (Vaswani et al. 2017, section 5.3); wants a warm-up
struct InverseSqrtDecay {
  static constexpr std::string_view kName = "inverse-sqrt";
  void visit(FieldVisitor&) {}
  bool operator==(const InverseSqrtDecay&) const = default;
};

/// f = to + (1 − to) · (1 + cos πx) / 2
struct CosineDecay {
  double to = 0;      ///< 0 … 1: where it ends
  double epochs = 0;  ///< >= 0: its length, after which it stays there; 0: to the end of the run

  static constexpr std::string_view kName = "cosine";
  void visit(FieldVisitor& v);
  bool operator==(const CosineDecay&) const = default;
};

/// SGDR (Loshchilov & Hutter 2017, equation 5): the same in cycles, the first of `epochs` epochs, each of the others
/// `growth` times as long as the one before.
struct CosineRestarts {
  double epochs = 10;       ///< > 0
  std::int64_t growth = 1;  ///< 1 … 1000
  double to = 0;            ///< 0 … 1: where a cycle ends

  static constexpr std::string_view kName = "cosine-restarts";
  void visit(FieldVisitor& v);
  bool operator==(const CosineRestarts&) const = default;
};

/// f = (t + 1) / (r + 1) until t = r, then 1 − x: linear up, linear down. Without a warm-up, r = rise · T.
struct OneCycle {
  double rise = 0.2;  ///< 0 … 1: share of the run

  static constexpr std::string_view kName = "one-cycle";
  void visit(FieldVisitor& v);
  bool operator==(const OneCycle&) const = default;
};

/// PyTorch's OneCycleLR with its defaults (Smith & Topin 2018): half a cosine wave from `from` up to 1, which is
/// reached at step rise · T − 1, and another one down to `to`, which is that of the last step. The momentum stays as it
/// is, unless momentum_low and momentum_high say what it is at the top and at the ends: the option momentum of sgd,
/// rmsprop and muon, beta1 of adam, adamw, adamax, nadam, radam and lion. PyTorch's moves it between 0.85 and 0.95, and
/// switches it on in plain SGD, unless told cycle_momentum=False.
struct OneCycleCosine {
  double rise = 0.3;                           ///< 0 … 1: share of the run
  double from = 0.04;                          ///< 0 … 1: PyTorch's 1 / div_factor
  double to = 4e-6;                            ///< 0 … 1: PyTorch's 1 / (div_factor · final_div_factor)
  double momentum_low = 0, momentum_high = 0;  ///< 0 <= low <= high < 1: PyTorch's base_momentum and max_momentum

  static constexpr std::string_view kName = "one-cycle-cosine";
  void visit(FieldVisitor& v);
  bool operator==(const OneCycleCosine&) const = default;
};

/// f = max(to, factor^n) after n reductions. At the end of each epoch the loss is looked at: that of the validation
/// data if there are any, otherwise the mean over the epoch. It is better if it is below best − threshold · |best|
/// (what is maximised: above best + threshold · |best|). After more than `patience` epochs in which it was not, the
/// rate is reduced, and for the next `cooldown` epochs bad ones do not count.
struct Plateau {
  std::int64_t patience = 10;  ///< >= 0
  double factor = 0.1;         ///< 0 < factor < 1
  double threshold = 1e-4;     ///< 0 … 1
  std::int64_t cooldown = 0;   ///< >= 0
  double to = 0;               ///< 0 … 1: below this share it does not go

  static constexpr std::string_view kName = "plateau";
  void visit(FieldVisitor& v);
  bool operator==(const Plateau&) const = default;
};

/// What a schedule that looks at the loss (Plateau) has seen: part of a run's record. Others leave it as it is.
struct Observed {
  std::int64_t epochs = 0;      ///< how many losses it has seen
  double best = 0;              ///< of them; 0 if there are none
  std::int64_t bad = 0;         ///< epochs in a row in which the loss was not better
  std::int64_t cooldown = 0;    ///< epochs for which bad ones do not count yet
  std::int64_t reductions = 0;  ///< how often the rate has been reduced
  bool operator==(const Observed&) const = default;
};

/// A schedule with its parameters, any of the structs above, after a warm-up of some epochs, in which the factor is
/// f = (t + 1) / (r + 1).
class Schedule {
 public:
  Schedule() : Schedule(ConstantRate{}) {}
  template <class T>
  requires requires(T t, FieldVisitor& v) {
    t.visit(v);
    T::kName;
  }
  Schedule(T parameters, double warmup = 0)  // NOLINT: its parameters are the schedule
      : name_(T::kName), parameters_(std::move(parameters)), warmup_(warmup) {}

  /// NAME, NAME:NUMBER,…,NAME=NUMBER,…, each with +warmup:EPOCHS if wanted: "step:10,0.5" (every 10 epochs by 0.5),
  /// "cosine:to=0.01+warmup:2". Throws InputError saying what is allowed.
  static Schedule parse(std::string_view text);
  /// All names, in the order of the list.
  static std::span<const std::string_view> names();
  /// How they are written: "step:EPOCHS,FACTOR".
  static std::vector<std::string> forms();

  std::string_view name() const { return name_; }
  const Attributes& parameters() const { return parameters_; }
  double warmup() const { return warmup_; }  ///< epochs, >= 0
  /// parse(text()) is the same schedule.
  std::string text() const;

  /// Factor of the rate for step `step` (0, 1, …) of `steps` with `steps_per_epoch` in an epoch, and what has been seen
  /// by then.
  double factor(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch, const Observed& seen = {}) const;
  /// The momentum of that step, if the schedule moves it.
  std::optional<double> momentum(std::int64_t step, std::int64_t steps, std::int64_t steps_per_epoch) const;
  bool moves_momentum() const { return momentum(0, 1, 1).has_value(); }
  /// Whether it looks at the loss of each epoch.
  bool observes() const;
  /// What has been seen after one more epoch with this loss, which is better the smaller or, if it is `maximised`, the
  /// larger it is.
  Observed observe(Observed seen, double loss, bool maximised) const;
  /// Whether a run of `epochs` may be given more of them: whether no rate in it depends on how many there are.
  bool open_ended(std::int64_t epochs) const;
  /// Throws InputError naming a parameter that is out of its range.
  void check() const;
  bool operator==(const Schedule&) const = default;

 private:
  std::string_view name_;
  Attributes parameters_;
  double warmup_ = 0;
};

}  // namespace chalk
