// What a network's graph becomes in training: statistics of the batch stand where it uses running ones, which follow
// them.
#include <map>

#include "chalkgrad/ops.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"

namespace chalk {

Graph with_batch_statistics(const Graph& graph) {
  std::map<NodeId, NodeId> batch_of;
  for (const auto& average : graph.running_averages()) batch_of[average.parameter] = average.batch;
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = r.translated(id);
    for (auto& input : node.inputs) {
      const auto found = batch_of.find(input);
      if (found != batch_of.end() && found->second < id) input = found->second;  // ids are the same in both graphs
    }
    r.map(id, r.append(std::move(node)));
  }
  Graph training = r.finish();
  const std::string layer_before = training.layer();
  for (const auto& average : graph.running_averages()) {
    const Value parameter = training.value(average.parameter), estimate = training.value(average.estimate);
    training.layer(graph.node(average.estimate).layer);
    const Value rest = training.constant(1 - average.momentum), momentum = training.constant(average.momentum);
    training.update(parameter, rest * parameter + momentum * estimate);
  }
  training.layer(layer_before);
  return training;
}

}  // namespace chalk
