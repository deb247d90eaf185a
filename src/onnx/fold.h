// Values that parameters alone decide, computed once, so that the file holds them instead of how they are computed.
#pragma once

#include "chalkgrad/program.h"
#include "src/onnx/emitter.h"

namespace chalk::onnx {

/// Gives the emitter, as tensors of the model, all values of its graph that depend on parameters and constants alone
/// and that something else asks for; the engine computes them, as it does before a prediction.
void give_folded(Emitter& to, const Variables& variables);

}  // namespace chalk::onnx
