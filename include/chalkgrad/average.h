// Averages of weights: what a run evaluates and keeps instead of the weights of its last step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/attributes.h"

namespace chalk {

// Every average is a struct of its parameters. In the formulas w is a weight after a step and a its average, which is
// exactly w in all steps before the first that is averaged, and in that one; so nothing pulls it towards the first,
// random weights. With TrainOptions::average, the network's parameters are the averages, between any two steps:
// whatever reads the network (evaluate, predict, save, validation) sees them. The weights that are trained are beside
// them, as NAME.raw.

/// a ← a + (1 − decay) · (w − a) at each step. Polyak & Juditsky 1992, in the form of PyTorch's AveragedModel with
/// get_ema_multi_avg_fn(decay), updated after each step. Running statistics are averaged like the weights, as with its
/// use_buffers=True. Keras (use_ema, ema_momentum) begins with the first weights, not with those of the first step.
struct Ema {
  double decay = 0.999;   ///< 0 <= decay < 1
  std::int64_t from = 0;  ///< >= 0: epochs before the first step that is averaged

  static constexpr std::string_view kName = "ema";
  void visit(FieldVisitor& v);
  bool operator==(const Ema&) const = default;
};

/// a ← a + (w − a) / (n + 1) after n others, at the end of each `every`th epoch after the first `from`: the mean of
/// these weights. Izmailov et al. 2018, as PyTorch's AveragedModel with get_swa_multi_avg_fn(). Running statistics are
/// then measured anew, with the averages, on all training samples: its update_bn().
struct Swa {
  std::int64_t from = 0;   ///< >= 0: epochs of which no weights are averaged; below those of the run
  std::int64_t every = 1;  ///< >= 1: epochs between the weights that are

  static constexpr std::string_view kName = "swa";
  void visit(FieldVisitor& v);
  bool operator==(const Swa&) const = default;
};

/// None, or one of the structs above.
class Average {
 public:
  Average() = default;  ///< none
  template <class T>
  requires requires(T t, FieldVisitor& v) {
    t.visit(v);
    T::kName;
  }
  Average(T parameters)  // NOLINT: its parameters are the average
      : name_(T::kName), parameters_(std::move(parameters)) {}

  /// "ema:0.999", "swa:10,every=2"; "none" or nothing. Throws InputError saying what is allowed.
  static Average parse(std::string_view text);
  /// All names, in the order of the list.
  static std::vector<std::string_view> names();
  /// How they are written: "ema:DECAY".
  static std::vector<std::string> forms();

  explicit operator bool() const { return !name_.empty(); }
  std::string_view name() const { return name_; }
  const Attributes& parameters() const { return parameters_; }
  /// parse(text()) is the same; empty if it is none.
  std::string text() const;

  /// How much of the difference to the weight after step `step` (0, 1, …) the average moves by, where there are so many
  /// steps in an epoch: 0 where it stays as it is.
  double share(std::int64_t step, std::int64_t steps_per_epoch) const;
  /// Whether a step before that one has been averaged. If not, the average is the weight after the step.
  bool begun(std::int64_t step, std::int64_t steps_per_epoch) const;
  /// Whether running statistics are to be measured anew after that step.
  bool measures_after(std::int64_t step, std::int64_t steps_per_epoch) const;
  /// Throws InputError naming a parameter that is out of its range, and if no step of so many epochs is averaged.
  void check(std::int64_t epochs) const;
  bool operator==(const Average&) const = default;

 private:
  std::string_view name_;
  Attributes parameters_;
};

}  // namespace chalk
