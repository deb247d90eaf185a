#include "src/optimizers/clip.h"

#include "chalkgrad/ops.h"

namespace chalk {

void clip_by_value(std::span<Value> gradients, double most) {
  for (auto& g : gradients) {
    Graph& graph = g.graph();
    g = minimum(maximum(g, graph.constant(-most)), graph.constant(most));
  }
}

Value clip_by_norm(std::span<Value> gradients, double most) {
  Graph& graph = gradients[0].graph();
  const Value norm = chalk::norm(gradients);
  const Value factor = minimum(graph.constant(1), graph.constant(most) / (norm + graph.constant(1e-6)));
  for (auto& g : gradients) g = factor * g;
  return norm;
}

}  // namespace chalk
