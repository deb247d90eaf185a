#pragma once

#include "chalkgrad/compile_options.h"
#include "chalkgrad/graph.h"
#include "src/passes/passes.h"

namespace chalk {

/// The graph after all passes that `options` do not switch off. (Fusing and planning follow: src/plan.)
Graph run_passes(Graph graph, const CompileOptions& options);

}  // namespace chalk
