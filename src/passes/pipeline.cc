// What happens to a graph before it is planned, in order. Each pass can be switched off and its result printed.
#include "src/passes/pipeline.h"

#include "src/base/text.h"
#include "src/ir/op.h"

namespace chalk {
namespace {

/// The graph, and what its derivatives are by convention.
std::string printed(const Graph& graph) {
  std::string text = graph.print();
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto convention = graph.node(id).op->kink.convention;
    const std::string line = str("by convention ", convention, "\n");
    if (!convention.empty() && text.find(line) == std::string::npos) text += line;
  }
  return text;
}

}  // namespace

Graph run_passes(Graph graph, const CompileOptions& options) {
  const auto pass = [&](std::string_view name, auto transform) {
    if (options.disabled_passes.contains(std::string(name))) return;
    graph = transform(graph);
    graph.verify();
    if (options.print && options.print_after.contains(std::string(name))) options.print(name, printed(graph));
  };
  if (options.print && options.print_after.contains("differentiate")) options.print("differentiate", printed(graph));
  pass("simplify", simplify);
  pass("fold_scales", fold_scales);
  pass("split_variance", split_variance);
  return graph;
}

}  // namespace chalk
