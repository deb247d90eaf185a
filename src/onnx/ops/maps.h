// Operators on maps want a batch of them, also where a value of the graph is one map for all samples.
#pragma once

#include "src/onnx/emitter.h"

namespace chalk::onnx {

/// The operand as a batch of maps: of one, if it is shared.
inline std::string as_maps(Emitter& to, NodeId id) {
  if (to.type(id).batched) return to.operand(id);
  Ints shape{1};
  shape.insert(shape.end(), to.type(id).shape.begin(), to.type(id).shape.end());
  return to.reshape(to.operand(id), shape);
}

/// The same where the result is `batched`: then of all samples, also if the operand is shared.
inline std::string as_maps(Emitter& to, NodeId id, bool batched) {
  return batched ? to.batched_operand(id) : as_maps(to, id);
}

/// The value of such a batch.
inline std::string from_maps(Emitter& to, NodeId id, const std::string& maps) {
  return to.type(id).batched ? maps : to.reshape(maps, to.type(id).shape);
}

/// A convolution of maps by weights, with a tensor of biases if there is one. `id`: the node that has its attributes.
std::string write_conv(Emitter& to, NodeId id, std::span<const NodeId> operands, const std::string& bias);

}  // namespace chalk::onnx
