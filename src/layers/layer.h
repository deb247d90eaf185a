// What layers share.
#pragma once

#include <string>
#include <string_view>

#include "chalkgrad/error.h"
#include "chalkgrad/graph.h"
#include "src/base/text.h"

namespace chalk {

/// "conv1.weight": a parameter of the layer that is being built.
inline std::string parameter_name(const Graph& g, std::string_view name) {
  return g.layer().empty() ? std::string(name) : str(g.layer(), ".", name);
}

/// Throws a ShapeError that names the layer being built, or what is built if it has no name.
[[noreturn]] inline void fail_layer(const Graph& g, std::string_view what, const std::string& message) {
  throw ShapeError(str(g.layer().empty() ? what : g.layer(), ": ", message));
}

}  // namespace chalk
