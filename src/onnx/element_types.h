#pragma once

#include <cstddef>

namespace chalk::onnx {

/// How many bits an element of TensorProto.DataType takes; 0 for what is no number.
std::size_t bits_of(int type);

}  // namespace chalk::onnx
