#include "src/train/validation.h"

#include <algorithm>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/losses/loss.h"
#include "src/train/evaluator.h"
#include "src/train/feeds.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

constexpr std::string_view kBest = ".best";

std::vector<std::string> parameter_names(const Network& network) {
  std::vector<std::string> names;
  for (const NodeId id : parameters_of(network.graph())) names.push_back(network.graph().node(id).name);
  return names;
}

/// Books the memory for them.
void add_best_variables(Network& network) {
  Graph all;
  for (const auto& name : parameter_names(network))
    all.parameter(str(name, kBest), network.variables().at(name).shape(), Init::constant(0), /*trainable=*/false);
  network.variables().add(all, 0);
  auto& states = network.training->states;
  for (const auto& name : best_variables(network)) {
    if (std::ranges::find(states, name) == states.end()) states.push_back(name);
  }
}

void copy(Network& network, std::string_view name, std::string_view from, std::string_view to) {
  const Tensor& source = std::as_const(network.variables()).at(str(name, from));
  network.variables().at(str(name, to)).assign(source.values());
}

void copy_all(Network& network, std::string_view from, std::string_view to) {
  for (const auto& name : parameter_names(network)) copy(network, name, from, to);
}

bool better(const Evaluation& now, const BestEpoch& best, const TrainOptions& options) {
  if (best.epoch < 0) return true;
  if (options.by_accuracy) return now.accuracy > best.accuracy;
  return maximised(options.loss) ? now.loss > best.loss : now.loss < best.loss;
}

void check_options(const TrainOptions& options, bool labels) {
  const auto needs = [](std::string_view option, std::string_view what) {
    throw InputError(str(option, " needs ", what, "; give some, or leave it out"));
  };
  if (options.validation) {
    if (options.by_accuracy && !labels) needs("by_accuracy", "labels");
    return;
  }
  if (options.patience > 0) needs("patience", "validation data");
  if (options.by_accuracy) needs("by_accuracy", "validation data");
  if (options.keep_last) needs("keep_last", "validation data");
}

}  // namespace

void check_validation(const Network& network, const Dataset& data, const TrainOptions& options) {
  check_options(options, !data.labels.empty());
  if (!options.validation) return;
  const Dataset& held = *options.validation;
  if (held.labels.empty() != data.labels.empty()) {
    throw InputError(str("validation data \"", held.name, "\" have ", held.labels.empty() ? "targets" : "labels",
                         ", the training data ", data.labels.empty() ? "targets" : "labels",
                         "; give data of the same kind"));
  }
  check_fits(network, held);
}

std::vector<std::string> best_variables(const Network& network) {
  std::vector<std::string> names;
  if (!network.training || network.training->best.epoch < 0 || network.training->options.keep_last) return names;
  for (const auto& name : parameter_names(network)) names.push_back(str(name, kBest));
  return names;
}

double validate(Network& network, Evaluator& evaluator, const TrainOptions& options, Progress& now) {
  const auto found = evaluator();
  auto& best = network.training->best;
  if (better(found, best, options)) {
    best = {.epoch = now.epoch, .loss = found.loss, .accuracy = found.accuracy};
    if (!options.keep_last) {
      add_best_variables(network);
      copy_all(network, "", kBest);
    }
  }
  now.validation_loss = found.loss;
  if (!found.classes.empty()) now.validation_accuracy = found.accuracy;
  now.best_epoch = best.epoch;
  return found.loss;
}

void restore_best(Network& network) {
  const auto names = best_variables(network);
  if (names.empty() || !network.variables().contains(names.front())) return;
  copy_all(network, kBest, "");
  std::erase_if(network.training->states, [&](const auto& state) {
    return std::ranges::find(names, state) != names.end() || state.ends_with(kRaw) || state.ends_with(kFast);
  });
}

bool has_raw_weights(const Network& network) {
  return network.training && network.training->options.average &&
         std::ranges::any_of(network.training->states, [](const auto& state) { return state.ends_with(kRaw); });
}

void begin_anew(Network& network) {
  if (has_raw_weights(network)) {
    const auto& states = network.training->states;
    for (const auto& name : parameter_names(network)) {
      if (std::ranges::find(states, str(name, kRaw)) != states.end()) copy(network, name, kRaw, "");
    }
  }
  network.training.reset();
}

}  // namespace chalk
