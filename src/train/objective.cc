#include "src/train/objective.h"

#include <algorithm>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/losses/ending.h"
#include "src/net/build.h"
#include "src/train/feeds.h"

namespace chalk {
namespace {

/// Throws ShapeError unless the loss can compare the output with a target of that shape.
void check_shape(const NetworkOutput& output, const Loss& loss, Value y, const Shape& target) {
  const Shape wanted = target_shape(loss, y.shape());
  if (wanted == target) return;
  const auto labels = wanted == y.shape() ? "" : str(", which ", name_of(loss), " compares with ", to_string(wanted));
  throw ShapeError(str(called(output), " is ", to_string(y.shape()), labels, " but ",
                       output.reconstructs ? "the samples are " : "the data want ", to_string(target), "; change the ",
                       output.name == "y" ? "last layer" : "layer it comes from"));
}

/// What the loss is computed from.
Value compared(const Loss& loss, Value output) {
  if (!of_softmax(loss)) return output;
  const Ending end = ending_of(output);
  if (end.kind == Ending::Kind::softmax) remark_joined(output.graph(), name_of(loss), end);
  return end.one_distribution() ? end.logits : output;
}

Value scaled(double factor, Value x) { return factor == 1 ? x : x.graph().constant(factor) * x; }

/// The same of a sample that counts `weight` times.
SampleLoss weighted_by(Value weight, const SampleLoss& one) {
  return {weight * one.loss, one.weight ? weight * one.weight : weight};
}

/// 1 / Σ weight; 1 if that is 0.
Value share_of(const SampleLoss& of_sample) {
  Graph& g = of_sample.weight.graph();
  const Value one = g.constant(1), counted = batch_sum(of_sample.weight);
  return one / select(equal(counted, g.constant(0)), one, counted);
}

/// Whether the same samples count the same.
bool counts_alike(const OutputLoss& a, const OutputLoss& b) {
  return !a.of_sample.weight ? !b.of_sample.weight : b.of_sample.weight && a.loss == b.loss;
}

}  // namespace

Value logits_of(Value output) {
  const Ending end = ending_of(output);
  return end.one_distribution() ? end.logits : output;
}

Loss loss_of(const NetworkOutput& output, const Loss& first) { return output.loss.value_or(first); }

std::string called(const NetworkOutput& output) {
  return output.name == "y" ? "the network's output" : str("the output ", output.name);
}

std::vector<NetworkOutput> trained_outputs(const Network& network) {
  auto outputs = network.outputs();
  std::erase_if(outputs, [](const NetworkOutput& output) { return output.weight == 0; });
  return outputs;
}

Graph graph_of(const Network& network, std::span<const NetworkOutput> outputs) {
  Graph graph = network.graph();
  graph.clear_outputs();
  for (const auto& output : outputs) graph.output(output.name, graph.value(output_node(network.graph(), output.name)));
  return graph;
}

Graph trained_graph(const Network& network) {
  const auto trained = trained_outputs(network);
  return trained.size() < network.outputs().size() ? graph_of(network, trained) : network.graph();
}

std::vector<OutputLoss> add_losses(Graph& graph, std::span<const NetworkOutput> outputs, const Loss& first,
                                   const Shape& target, bool weighted) {
  graph.layer("loss");
  const bool distribution = std::ranges::any_of(
      outputs, [&](const auto& output) { return !output.reconstructs && of_classes(loss_of(output, first)); });
  const Value x = graph.value(input_node(graph));
  std::vector<Value> values;
  for (const auto& output : outputs) {
    const Loss loss = loss_of(output, first);
    values.push_back(compared(loss, graph.value(output_node(graph, output.name))));
    check_shape(output, loss, values.back(), output.reconstructs ? x.shape() : target);
  }
  const Value t = graph.input("t", target, distribution);
  const Value weight = weighted ? graph.input(kSampleWeight, {}) : Value();
  std::vector<OutputLoss> losses;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Loss loss = loss_of(outputs[i], first);
    const auto of_sample = sample_loss(loss, values[i], outputs[i].reconstructs ? x : t);
    losses.push_back({outputs[i], loss, weight ? weighted_by(weight, of_sample) : of_sample});
  }
  return losses;
}

std::vector<OutputLoss> add_losses(Graph& graph, const Network& network, const Loss& first, const Shape& target) {
  return add_losses(graph, trained_outputs(network), first, target);
}

Value objective(Graph& graph, std::span<const OutputLoss> losses) {
  const auto& first = losses.front();
  Value sum;
  for (const auto& each : losses) {
    if (maximised(each.loss) != maximised(first.loss)) {
      const auto kind = [](const Loss& loss) {
        return str(name_of(loss), ", which is ", maximised(loss) ? "maximised" : "minimised");
      };
      throw InputError(str(called(each.output), " has the loss ", kind(each.loss), ", but the first one ",
                           kind(first.loss), "; choose two of one kind"));
    }
    const Value mean = batch_mean(each.of_sample);
    if (losses.size() > 1) graph.name(mean, str("loss.", each.output.name));
    const Value part = scaled(each.output.weight, mean);
    sum = sum ? sum + part : part;
  }
  return sum;
}

std::vector<Value> gradients_of(Value objective, std::span<const OutputLoss> losses,
                                std::span<const Value> parameters) {
  const auto is_counted = [](const OutputLoss& each) { return static_cast<bool>(each.of_sample.weight); };
  if (std::ranges::none_of(losses, is_counted)) return gradients(objective, parameters);
  std::vector<Value> total(parameters.size());
  std::vector<bool> done(losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (done[i]) continue;
    Value sum;  // of all losses that are divided by the same
    for (std::size_t j = i; j < losses.size(); ++j) {
      if (!counts_alike(losses[i], losses[j])) continue;
      done[j] = true;
      const auto& of_sample = losses[j].of_sample;
      const Value part =
          scaled(losses[j].output.weight, of_sample.weight ? batch_sum(of_sample.loss) : batch_mean(of_sample.loss));
      sum = sum ? sum + part : part;
    }
    const auto derivatives = gradients(sum, parameters);
    const Value share = is_counted(losses[i]) ? share_of(losses[i].of_sample) : Value();
    for (std::size_t at = 0; at < total.size(); ++at) {
      const Value part = share ? derivatives[at] * share : derivatives[at];
      total[at] = total[at] ? total[at] + part : part;
    }
  }
  return total;
}

void check_targets(const Network& network, std::span<const NetworkOutput> outputs, const Dataset& data,
                   const Loss& first) {
  for (const auto& output : outputs) {
    if (output.reconstructs) continue;
    try {
      check_targets(data, loss_of(output, first), network.output_shape(output.name));
    } catch (const InputError& e) {
      if (output.name == "y") throw;
      throw InputError(str(called(output), ": ", e.what()));
    }
  }
}

}  // namespace chalk
