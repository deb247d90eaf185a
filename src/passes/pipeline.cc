// What happens to a graph before it is planned, in order. Each pass can be switched off and its result printed.
#include "src/passes/pipeline.h"

namespace chalk {

Graph run_passes(Graph graph, const CompileOptions& options) {
  const auto pass = [&](std::string_view name, auto transform) {
    if (options.disabled_passes.contains(std::string(name))) return;
    graph = transform(graph);
    graph.verify();
    if (options.print && options.print_after.contains(std::string(name))) options.print(name, graph.print());
  };
  if (options.print && options.print_after.contains("differentiate")) options.print("differentiate", graph.print());
  pass("simplify", simplify);
  pass("fold_scales", fold_scales);
  pass("split_variance", split_variance);
  return graph;
}

}  // namespace chalk
