// What an optimizer is. Each has a file, src/optimizers/NAME.cc, and a line in optimizers.inc.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/graph.h"
#include "chalkgrad/optimizer.h"
#include "src/ir/op.h"

namespace chalk {

/// Which step it is, 0, 1, …, and what the momentum of each step is, if the schedule moves it.
struct StepTime {
  using Momentum = std::function<double(std::int64_t step)>;
  StepTime(std::int64_t step_, const Momentum* momentum_ = nullptr)  // NOLINT: a number is a step
      : step(step_), momentum(momentum_) {}
  double momentum_or(double usual) const { return momentum ? (*momentum)(step) : usual; }

  std::int64_t step;
  const Momentum* momentum;
};

/// A number that depends on the step alone, given the optimizer's options.
using StepScalar = double (*)(const Attributes& options, const StepTime& time);

/// What the updates of all parameters share in the graph of a training step.
struct StepContext {
  Value lr;              ///< the step's learning rate, a shared scalar
  Value momentum{};      ///< the step's momentum, a shared scalar, if the schedule moves it; otherwise empty
  Value pull{};          ///< with Lookahead, how far slow weights are pulled in this step; otherwise empty
  bool ascends = false;  ///< the objective is maximised: gradients lead upwards
  /// Numbers that depend on the step alone (1 − βᵗ): shared inputs by name, and their values.
  struct Scalar {
    std::string name;
    StepScalar value;
  };
  std::vector<Scalar> scalars{};
  std::vector<std::string> states{};  ///< names of the parameters that hold the optimizer's state
  /// Parameters, and those of the states that begin as their copies: "conv1.weight", "conv1.weight.fast".
  std::vector<std::pair<std::string, std::string>> copies{};

  /// A gradient, or the direction of a step, with that of a penalty, which leads downwards in any case.
  Value with_penalty(Value direction, Value penalty) const;
};

/// The update of one parameter, which a rule builds as graph.
class ParameterUpdate {
 public:
  /// `decays`: weight decay applies to this parameter.
  ParameterUpdate(StepContext& step, Value w, Value gradient, bool decays)
      : step_(step), w_(w), gradient_(gradient), decays_(decays) {}

  Value w() const { return w_; }
  /// What w is for: never `unsaid`. Whether it decays is another matter, since a group of parameters may say so.
  ParameterRole role() const;
  /// ∇loss + weight_decay · w, with the sign that leads upwards where the step ascends.
  Value gradient(double weight_decay) { return decayed(gradient_, weight_decay); }
  /// The direction of a step with decoupled weight decay: with weight_decay · w, which points down in any case.
  Value decayed(Value direction, double weight_decay);
  Value number(double value) { return w_.graph().constant(value); }
  /// A value of w's shape that is kept from step to step, as the parameter NAME.state: its value before this step.
  Value state(std::string_view name, double initial);
  /// Sets what the state is after this step.
  void next(Value state, Value value) { w_.graph().update(state, value); }
  /// A moving average, kept as that state: a ← a + (1 − decay) · (value − a), from a = 0. Returns it after this step.
  Value average(std::string_view name, Value value, double decay);
  /// The same with the momentum as its decay: the option's value, unless the schedule moves it.
  Value average_by_momentum(std::string_view name, Value value, double usual);
  /// A shared number that depends on the step alone; the same for all parameters that ask for this name.
  Value scalar(const std::string& name, StepScalar value);
  /// w ← w − rate · direction (+ where the step ascends): what every rule ends with.
  void descend(Value rate, Value direction);
  /// What w is after the step.
  Value stepped() const { return stepped_; }
  Value lr() const { return step_.lr; }
  /// The momentum: the option's value, unless the schedule moves it.
  Value momentum(double usual) { return moves_momentum() ? step_.momentum : number(usual); }
  /// 1 − momentum
  Value rest_of_momentum(double usual);
  bool moves_momentum() const { return static_cast<bool>(step_.momentum); }

 private:
  StepContext& step_;
  Value w_, gradient_, stepped_{};
  bool decays_;
};

/// Whether the state of that name is made of squares or magnitudes.
bool is_never_negative(std::string_view state);

/// The state that is trained where the network has slow weights.
inline constexpr std::string_view kFast = ".fast";
inline constexpr const char* kLookaheadLayer = "lookahead";

/// Builds the update of a parameter, w, by that optimizer. With Lookahead, w becomes the state NAME.fast, beside a new
/// parameter NAME of slow weights.
void add_update(StepContext& step, Value w, Value gradient, bool decays, const Optimizer& optimizer);

// Fields that optimizers share.
inline void visit_lr(FieldVisitor& v, double& lr) { v.field({"lr", Range::above(0), "Learning rate"}, lr); }
/// Of ParameterUpdate::gradient().
inline void visit_weight_decay(FieldVisitor& v, double& weight_decay) {
  v.field({"weight_decay", Range::at_least(0), "Adds X·w to the gradient of each weight w"}, weight_decay);
}
/// Of ParameterUpdate::decayed().
inline void visit_decoupled_weight_decay(FieldVisitor& v, double& weight_decay) {
  v.field({"weight_decay", Range::at_least(0), "Takes lr · X·w off each weight w, apart from the gradient"},
          weight_decay);
}

struct OptimizerDefinition {
  Required<std::string_view> help;     // one sentence, as in --help
  Required<std::string_view> formula;  // for people to read
  Required<Attributes> defaults;
  Required<void (*)(const Attributes& options, ParameterUpdate& update)> rule;
  /// The option that a schedule may move, which PyTorch's OneCycleLR cycles: "momentum", "beta1"; empty: there is none.
  Required<std::string_view> momentum;
  /// Throws InputError if the options, though each is in its range, contradict each other.
  void (*check)(const Attributes& options) = nullptr;
};

const OptimizerDefinition& definition_of(const Optimizer& optimizer);

#define CHALK_OPTIMIZER(name) extern const OptimizerDefinition optimizer_##name;
#include "src/optimizers/optimizers.inc"
#undef CHALK_OPTIMIZER

}  // namespace chalk
