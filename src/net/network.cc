#include "chalkgrad/network.h"

#include <set>
#include <span>
#include <string_view>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/files/sha256.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"

namespace chalk {

Network::Network(Graph graph, std::string text) : graph_(std::move(graph)), text_(std::move(text)) {
  const auto x = input_node(graph_);
  const Node& y = graph_.node(output_node(graph_));
  if (!y.type.batched)
    throw InputError(str("the network's output is ", to_string(y.type), "; it must be one per sample"));
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (graph_.node(id).op != &op_input || id == x || is_noise(graph_.node(id))) continue;
    throw InputError(
        str("the network has an input \"", graph_.node(id).name, "\" besides \"x\"; it can have only one"));
  }
}

const Shape& Network::input_shape() const { return graph_.node(input_node(graph_)).type.shape; }
const Shape& Network::output_shape() const { return graph_.node(output_node(graph_)).type.shape; }

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
