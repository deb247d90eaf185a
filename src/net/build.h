// From a network's text to its graph.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/network.h"

namespace chalk {

/// Of a network at most: 2 GiB of weights.
inline constexpr std::int64_t kMostParameters = std::int64_t{1} << 29;
/// What a network's weights may be that its outputs have.
inline constexpr Range kOutputWeights{.least = 0, .most = 1000};

/// Throws InputError for an output that is not as NetworkOutput says. `first`: it is the prediction.
void check_output(const NetworkOutput& output, bool first);

struct BuiltGraph {
  Graph graph;
  std::vector<NetworkOutput> outputs{};  ///< as Network takes them
};

/// The forward graph of a chain or of TOML: one batched input "x", an output "y" and, if TOML says so, others. `input`
/// may be {} where TOML says it itself. `origin` ("network", a file's name) begins the messages. Throws InputError and
/// ShapeError.
BuiltGraph build(std::string_view text, const Shape& input, std::string_view origin = "network");
/// The graph alone.
Graph build_graph(std::string_view text, const Shape& input, std::string_view origin = "network");

/// The same from TOML.
BuiltGraph build_toml(std::string_view text, const Shape& input, std::string_view origin);

/// The graph of a network in TOML, a few tables at a time: for who writes the text and has to know shapes on the way.
class GrowingNetwork {
 public:
  explicit GrowingNetwork(const Shape& input, std::string origin);
  GrowingNetwork(const GrowingNetwork&) = delete;
  GrowingNetwork& operator=(const GrowingNetwork&) = delete;
  ~GrowingNetwork();

  /// Appends [[parameter]], [[constant]] and [[layer]] tables, in this order; returns the last layer. Throws as
  /// build().
  Value add(std::string_view tables);
  Graph& graph();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The value behind an output of the network (or "x", the input). Throws InputError if the graph has none.
NodeId output_node(const Graph& graph, std::string_view output = "y");
NodeId input_node(const Graph& graph);

}  // namespace chalk
