#include "src/net/build.h"

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/net/chain.h"

namespace chalk {
namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 26;  // 4 GiB for sixteen samples of one layer

Graph build_chain_graph(std::string_view text, const Shape& input, std::string_view origin) {
  const auto layers = parse_chain(text, origin);
  if (input.empty())
    throw InputError(str(origin, " ", in_quotes(text), ": the shape of a sample is not known; give it, e.g. 1x28x28"));
  Graph graph;
  LayerNames names(graph);
  const Value y = build_chain(graph.input("x", input), layers, names);
  graph.layer("");
  graph.output("y", y);
  return graph;
}

/// A typing error in a number must not ask for more memory than there is.
void check_size(const Graph& graph, std::string_view origin) {
  std::int64_t parameters = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto size = elements(node.type.shape);
    const auto& name = node.layer.empty() ? node.name : node.layer;
    if (node.op == &op_parameter) parameters += size;
    if (parameters > kMostParameters) {
      throw InputError(str(origin, ": ", name, ": the network has more than ", grouped(kMostParameters),
                           " parameters; make this layer smaller"));
    }
    if (node.type.batched && size > kMostValues) {
      throw InputError(str(origin, ": ", name, ": its result of ", to_string(node.type.shape),
                           " is too large, at most ", grouped(kMostValues),
                           " values are accepted; make this layer smaller"));
    }
  }
}

}  // namespace

bool is_toml(std::string_view text) { return trimmed(text).find_first_of("\n=") != std::string_view::npos; }

BuiltGraph build(std::string_view text, const Shape& input, std::string_view origin) {
  auto built =
      is_toml(text) ? build_toml(text, input, origin) : BuiltGraph{build_chain_graph(trimmed(text), input, origin)};
  check_size(built.graph, origin);
  return built;
}

Graph build_graph(std::string_view text, const Shape& input, std::string_view origin) {
  return build(text, input, origin).graph;
}

Network network(std::string_view text, const Shape& input, std::uint64_t seed, std::string_view origin) {
  auto [graph, outputs] = build(text, input, origin);
  Network made(std::move(graph), std::string(is_toml(text) ? text : trimmed(text)), std::move(outputs));
  made.initialize(seed);
  return made;
}

NodeId output_node(const Graph& graph, std::string_view output) {
  std::vector<std::string> names;
  for (const auto& [name, id] : graph.outputs()) {
    if (name == output) return id;
    names.push_back(name);
  }
  if (output == "y") throw InputError("the network has no output \"y\"; add graph.output(\"y\", …)");
  throw InputError(str("the network has no output ", in_quotes(output), "; it has ", alternatives(names, " and ")));
}

NodeId input_node(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op == &op_input && node.type.batched && node.name == "x") return id;
  }
  throw InputError("the network has no input \"x\"; add graph.input(\"x\", …)");
}

}  // namespace chalk
