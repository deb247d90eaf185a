// A vector of all values of x, in row-major order.
#include "src/layers/registry.h"

namespace chalk {

const Layer layer_flatten{
    .name = "flatten",
    .meaning = "makes a vector of all values",
    .build = [](std::span<const Value> in, const Attributes&) { return reshape(in[0], {elements(in[0].shape())}); }};

}  // namespace chalk
