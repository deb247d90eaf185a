#include "src/train/training_graph.h"

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/losses/ending.h"
#include "src/passes/passes.h"

namespace chalk {

Value logits_of(Graph& graph) {
  const Value y = graph.value(graph.outputs().at(0).second);
  const Ending end = ending_of(y);
  return end.one_distribution() ? end.logits : y;
}

SampleLoss add_loss(Graph& graph, const Loss& loss, const Shape& target) {
  graph.layer("loss");
  const Value y = of_softmax(loss) ? logits_of(graph) : graph.value(graph.outputs().at(0).second);
  const Shape wanted = target_shape(loss, y.shape());
  if (wanted != target) {
    const auto labels = wanted == y.shape() ? "" : str(", which ", name_of(loss), " compares with ", to_string(wanted));
    throw ShapeError(str("the network's output is ", to_string(y.shape()), labels, " but the data want ",
                         to_string(target), "; change the last layer"));
  }
  const Value t = graph.input("t", target, /*distribution=*/of_classes(loss));
  if (of_softmax(loss)) {
    const Ending end = ending_of(graph.value(graph.outputs().at(0).second));
    if (end.kind == Ending::Kind::softmax) remark_joined(graph, name_of(loss), end);
  }
  return sample_loss(loss, y, t);
}

namespace {

/// Of the mean loss. What a batch counts, if that depends on its targets, is known only after all of its samples: the
/// gradients are divided by it at the end, so that no sample has to wait for the others.
std::vector<Value> gradients_of(Value mean_loss, const SampleLoss& of_sample, std::span<const Value> parameters) {
  if (!of_sample.weight) return gradients(mean_loss, parameters);
  Graph& g = mean_loss.graph();
  auto derivatives = gradients(batch_sum(of_sample.loss), parameters);
  const Value one = g.constant(1), counted = batch_sum(of_sample.weight);
  const Value share = one / select(equal(counted, g.constant(0)), one, counted);
  for (auto& derivative : derivatives) derivative = derivative * share;
  return derivatives;
}

bool is_bias(Value parameter) {
  return parameter.shape().size() <= 1 || parameter.name() == "bias" || parameter.name().ends_with(".bias");
}

void check_momentum(const Optimizer& optimizer, bool moves_momentum) {
  if (!moves_momentum || optimizer.name() == Sgd::kName) return;
  throw InputError(str("the schedule moves the momentum, which only ", Sgd::kName, " takes, not ", optimizer.name(),
                       "; leave out momentum_low and momentum_high"));
}

}  // namespace

TrainingGraph training_graph(const Network& network, const Loss& loss, const Shape& target, bool labels,
                             const Optimizer& optimizer, bool moves_momentum) {
  check_momentum(optimizer, moves_momentum);
  TrainingGraph result{training_form(network.graph()), {}};
  Graph& step = result.graph;
  const Value logits = logits_of(step);
  const SampleLoss of_sample = add_loss(step, loss, target);
  const Value mean_loss = batch_mean(of_sample);
  step.name(mean_loss, "loss");
  const auto parameters = step.parameters();
  const auto derivatives = gradients_of(mean_loss, of_sample, parameters);

  step.clear_outputs();  // the network's own are not needed here
  step.output("loss", mean_loss);
  step.layer("accuracy");
  if (labels) step.output("correct", batch_sum(sum(first_max(logits) * step.find("t"))));
  result.optimizer = optimizer.name();
  step.layer(result.optimizer);
  StepContext context{.lr = step.shared_input("lr"), .ascends = maximised(loss)};
  if (moves_momentum) context.momentum = step.shared_input("momentum");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    ParameterUpdate update(context, parameters[i], derivatives[i], !is_bias(parameters[i]));
    definition_of(optimizer).rule.value(optimizer.options(), update);
  }
  step.layer("");
  result.states = std::move(context.states);
  result.scalars = std::move(context.scalars);
  return result;
}

Graph training_step(const Network& network) {
  const Loss loss = natural_loss(network);
  return training_graph(network, loss, target_shape(loss, network.output_shape()), of_classes(loss), sgd({})).graph;
}

}  // namespace chalk
