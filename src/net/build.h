// From a network's text to its graph.
#pragma once

#include <string_view>

#include "chalkgrad/graph.h"

namespace chalk {

/// The forward graph of a chain or of TOML: one batched input "x", one output "y". `input` may be {} where TOML says it
/// itself. `origin` ("network", a file's name) begins the messages. Throws InputError and ShapeError.
Graph build_graph(std::string_view text, const Shape& input, std::string_view origin = "network");

/// The same from TOML.
Graph build_toml(std::string_view text, const Shape& input, std::string_view origin);

/// The value behind the output "y" (or "x", the input). Throws InputError if the graph has none.
NodeId output_node(const Graph& graph);
NodeId input_node(const Graph& graph);

}  // namespace chalk
