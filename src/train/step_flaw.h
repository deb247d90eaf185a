// Finds out where a training step went wrong whose loss is finite.
#pragma once

#include <functional>
#include <string>

#include "chalkgrad/program.h"
#include "src/train/snapshot.h"
#include "src/train/training_graph.h"

namespace chalk {

/// Where a step first has a value that is NaN or infinite.
struct StepFlaw {
  std::string parameter;  ///< the first that it would make so, of the updated ones; empty if there is none
  std::string flaw;       ///< what that becomes: "NaN", "inf"
  std::string where;      ///< "the derivative of the layer sqrt1 (inf) for sample 17"; empty if only the update is at
                          ///< fault, the gradient being finite
};

/// The step that made variables not finite, which are as `before` it, now and afterwards. `prepare` gives a program the
/// step's inputs; `rows` are its samples. Runs the step several times, each time for other values, as memory is
/// limited.
StepFlaw find_step_flaw(const TrainingGraph& step, Variables& variables, const Snapshot& before,
                        const CompileOptions& options, const std::function<void(Program&)>& prepare,
                        std::size_t samples, const std::uint32_t* rows);

}  // namespace chalk
