#include "chalkgrad/network.h"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/sha256.h"
#include "src/ir/leaves.h"
#include "src/losses/loss.h"
#include "src/net/build.h"

namespace chalk {

Feed InputEncoding::feed(const std::uint8_t* bytes) const {
  return {.bytes = bytes, .scale = scale.data(), .shift = shift.data(), .per_sample = per_sample};
}

Feed InputEncoding::feed(const float* values) const {
  if (!of_values) return {.values = values};
  return {.values = values, .scale = scale.data(), .shift = shift.data(), .per_sample = per_sample};
}

namespace {

void check_outputs(const Graph& graph, const std::vector<NetworkOutput>& outputs) {
  if (outputs[0].name != "y")
    throw InputError(str("the first output of a network must be \"y\", not ", in_quotes(outputs[0].name)));
  for (const auto& output : outputs) {
    if (!graph.node(output_node(graph, output.name)).type.batched)
      throw InputError(str("the output ", output.name, " is the same for all samples; it must be one per sample"));
    if (std::ranges::count(outputs, output.name, &NetworkOutput::name) > 1)
      throw InputError(str("the output ", output.name, " is there twice; give one of them another name"));
    check_output(output, &output == outputs.data());
  }
}

}  // namespace

void check_output(const NetworkOutput& output, bool first) {
  const auto refuse = [&](const std::string& what) { throw InputError(str("the output ", output.name, " ", what)); };
  if (!kOutputWeights.contains(output.weight))
    refuse(str("has the weight ", output.weight, "; it must be ", kOutputWeights.text()));
  if (first && output.weight == 0) refuse("has the weight 0, but it is what the network predicts; give it another");
  if (first && output.loss) refuse("is the first, whose loss is that of TrainOptions; leave its own out");
  if (first && output.reconstructs)
    refuse("is the first, which is compared with the data's targets; let another one have the input as its target");
  if (output.loss) output.loss->check();
  if (!output.reconstructs) return;
  if (!output.loss) refuse("has the input as its target and needs a loss for that, such as mean-squared-error");
  const auto& definition = definition_of(*output.loss);
  if (definition.target.value != Target::numbers || !definition.about_targets.empty()) {
    refuse(str("has the input as its target, which can be any numbers; ", name_of(*output.loss),
               " does not take them, mean-squared-error does"));
  }
}

Network::Network(Graph graph, std::string text, std::vector<NetworkOutput> outputs)
    : graph_(std::move(graph)), text_(std::move(text)), outputs_(std::move(outputs)) {
  if (outputs_.empty()) outputs_.emplace_back();
  const auto x = input_node(graph_);
  const Node& y = graph_.node(output_node(graph_));
  if (!y.type.batched)
    throw InputError(str("the network's output is ", to_string(y.type), "; it must be one per sample"));
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (graph_.node(id).op != &op_input || id == x || is_noise(graph_.node(id))) continue;
    throw InputError(
        str("the network has an input \"", graph_.node(id).name, "\" besides \"x\"; it can have only one"));
  }
  check_outputs(graph_, outputs_);
}

Graph Network::graph_of(std::string_view output) const {
  Graph graph = graph_;
  const Value value = graph.value(output_node(graph, output));
  graph.clear_outputs();
  graph.output(std::string(output), value);
  return graph;
}

const Shape& Network::input_shape() const { return graph_.node(input_node(graph_)).type.shape; }
const Shape& Network::output_shape(std::string_view output) const {
  return graph_.node(output_node(graph_, output)).type.shape;
}

void Network::initialize(std::uint64_t seed) {
  const Variables drawn(graph_, seed);
  variables_ = drawn;  // a copy, so that predictors of this network go on with the new numbers
  training.reset();
}

std::string Network::weights_sha256() const {
  std::set<std::string_view> parameters;
  for (const NodeId id : parameters_of(graph_)) parameters.insert(graph_.node(id).name);
  Sha256 hash;
  for (const auto name : parameters) {
    const auto values = variables_.at(name).values();
    hash.update(std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()));
  }
  return hash.hex();
}

}  // namespace chalk
