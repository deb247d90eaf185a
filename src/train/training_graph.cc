#include "src/train/training_graph.h"

#include <algorithm>
#include <type_traits>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/glob.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"
#include "src/optimizers/clip.h"
#include "src/optimizers/sign.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

void check_momentum(const Optimizer& optimizer, bool moves_momentum) {
  if (!moves_momentum || !definition_of(optimizer).momentum.value.empty()) return;
  throw InputError(str("the schedule moves the momentum, which the optimizer ", optimizer.name(),
                       " does not have; leave out momentum_low and momentum_high"));
}

/// What clip_value and clip_norm make of the gradients.
void limit(std::vector<Value>& derivatives, Value loss, const TrainOptions& options, TrainingGraph& result) {
  Graph& step = result.graph;
  step.layer("clip");
  if (options.clip_value > 0) clip_by_value(derivatives, options.clip_value);
  if (options.clip_norm == 0) return;
  const Value norm = derivatives.empty() ? step.constant(0) : clip_by_norm(derivatives, options.clip_norm);
  step.output("gradient_norm", norm);
  step.output("sound", loss + norm);  // not finite if one of them is not
  result.guard = "sound";
}

/// What the groups say of a parameter.
ParameterGroup settings_of(std::string_view name, std::span<const ParameterGroup> groups) {
  ParameterGroup settings;
  for (const auto& group : groups) {
    if (!matches_glob(name, group.pattern)) continue;
    if (group.lr_factor) settings.lr_factor = group.lr_factor;
    if (group.weight_decay) settings.weight_decay = group.weight_decay;
    if (group.epochs) settings.epochs = group.epochs;
    if (group.frozen) settings.frozen = group.frozen;
  }
  return settings;
}

std::vector<std::string> names_of(std::span<const Value> parameters) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters) names.push_back(parameter.name());
  return names;
}

void check_groups(std::span<const Value> parameters, std::span<const ParameterGroup> groups) {
  const auto names = names_of(parameters);
  for (const auto& group : groups) {
    const auto matches = [&](const std::string& name) { return matches_glob(name, group.pattern); };
    if (std::ranges::any_of(names, matches)) continue;
    throw InputError(
        str("the group ", in_quotes(group.pattern), " matches no parameter; there are ", alternatives(names, " and ")));
  }
}

/// Those that are not frozen. Of a network with outputs of weight 0, those that the others need.
std::vector<Value> trained_parameters(Graph& step, std::span<const ParameterGroup> groups, bool only_needed) {
  auto parameters = step.parameters();
  check_groups(parameters, groups);
  if (only_needed) {
    const auto needed = needed_by_outputs(step);
    std::erase_if(parameters, [&](Value w) { return !needed[static_cast<std::size_t>(w.id())]; });
  }
  std::erase_if(parameters, [&](Value w) { return settings_of(w.name(), groups).frozen.value_or(false); });
  if (parameters.empty() && !groups.empty())
    throw InputError("all parameters are frozen, so there is nothing to train; leave some out of the groups");
  return parameters;
}

/// The optimizer with another weight decay.
Optimizer with_decay(const Optimizer& optimizer, double weight_decay, std::string_view parameter) {
  bool has_one = false;
  FieldFunction set([&]<class T>(const Field& field, T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (field.name == "weight_decay") value = weight_decay, has_one = true;
    }
  });
  auto changed = optimizer.edited(set);
  if (!has_one) {
    throw InputError(str("a group gives ", parameter, " a weight_decay, which the optimizer ", optimizer.name(),
                         " does not have; leave it out"));
  }
  return changed;
}

/// 1 in so many epochs, then 0.
Value of_first_epochs(std::int64_t epochs, TrainingGraph& result) {
  const auto name = str("first_epochs.", epochs);
  result.first_epochs[name] = epochs;
  const Value known = result.graph.find(name);
  return known ? known : result.graph.shared_input(name);
}

/// Builds the update of one parameter.
void update_parameter(StepContext& context, Value w, Value derivative, const TrainOptions& options,
                      TrainingGraph& result) {
  const auto settings = settings_of(w.name(), options.groups);
  Optimizer optimizer = options.optimizer;
  if (settings.weight_decay) optimizer = with_decay(optimizer, *settings.weight_decay, w.name());
  const bool is_weight = role_of(w) == ParameterRole::weight;
  if (options.l1 > 0 && is_weight)
    derivative = context.with_penalty(derivative, w.graph().constant(options.l1) * sign(w));
  const Value lr = context.lr;
  if (settings.lr_factor) context.lr = w.graph().constant(*settings.lr_factor) * lr;
  if (settings.epochs) context.lr = of_first_epochs(*settings.epochs, result) * context.lr;
  add_update(context, w, derivative, settings.weight_decay || is_weight, optimizer);
  context.lr = lr;
}

/// Keeps averages under the names of the parameters, running statistics included, and these as states of the run.
void keep_averages(TrainingGraph& result) {
  Graph& step = result.graph;
  step.layer(kAverageLayer);
  const Value share = step.shared_input(kAverageShare), begun = step.shared_input(kAverageBegun);
  std::vector<std::pair<std::string, std::string>> copies;
  for (const auto& [leaf, to] : std::vector(step.updates())) {
    const Value w = step.value(leaf), next = step.value(to);
    const auto name = str(w.name());  // as it is before it gets another
    if (std::ranges::find(result.states, name) != result.states.end()) continue;
    const auto raw = str(name, kRaw);
    step.name(w, raw);
    const Value average = step.parameter(name, w.shape(), Init::constant(0), /*trainable=*/false);
    const Value from = select(begun, average, next);
    step.update(average, from + share * (next - from));
    copies.emplace_back(name, raw);
  }
  for (const auto& [name, raw] : copies) result.states.push_back(raw);
  result.copies.insert(result.copies.begin(), copies.begin(), copies.end());
}

}  // namespace

TrainingGraph training_graph(const Network& network, const Shape& target, bool labels, const TrainOptions& options,
                             bool weighted) {
  const bool moves_momentum = options.schedule.moves_momentum();
  check_momentum(options.optimizer, moves_momentum);
  const auto outputs = trained_outputs(network);
  const bool only_needed = outputs.size() < network.outputs().size();
  TrainingGraph result{training_form(trained_graph(network)), {}};
  Graph& step = result.graph;
  const auto parameters = trained_parameters(step, options.groups, only_needed);
  const Value logits = logits_of(step.value(output_node(step)));
  const auto losses = add_losses(step, outputs, options.loss, target, weighted);
  const Value mean_loss = objective(step, losses);
  step.name(mean_loss, "loss");
  auto derivatives = gradients_of(mean_loss, losses, parameters);

  step.clear_outputs();  // the network's own are not needed here
  step.output("loss", mean_loss);
  if (losses.size() > 1) {
    for (const auto& each : losses) {
      result.losses.push_back(str("loss.", each.output.name));
      step.output(result.losses.back(), step.find(result.losses.back()));
    }
  }
  step.layer("accuracy");
  if (labels) step.output("correct", batch_sum(sum(first_max(logits) * step.find("t"))));
  limit(derivatives, mean_loss, options, result);

  result.optimizer = options.optimizer.name();
  step.layer(result.optimizer);
  StepContext context{.lr = step.shared_input("lr"), .ascends = maximised(options.loss)};
  if (moves_momentum) context.momentum = step.shared_input("momentum");
  if (options.lookahead) context.pull = step.shared_input(kLookaheadPull);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    update_parameter(context, parameters[i], derivatives[i], options, result);
  result.states = std::move(context.states);
  result.scalars = std::move(context.scalars);
  result.copies = std::move(context.copies);
  if (options.average) keep_averages(result);
  step.layer("");
  return result;
}

Graph training_step(const Network& network) {
  const Loss loss = natural_loss(network);
  return training_graph(network, target_shape(loss, network.output_shape()), of_classes(loss), {.loss = loss}).graph;
}

}  // namespace chalk
