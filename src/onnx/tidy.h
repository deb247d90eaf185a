#pragma once

#include "src/onnx/model.h"

namespace chalk::onnx {

/// Reshapes of tensors that the file holds become tensors of that shape, and tensors that nothing uses go.
void tidy(Model& model);

}  // namespace chalk::onnx
