// The list of layers as data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/layers/layer.h"

namespace chalk {

#define CHALK_LAYER(name) extern const Layer layer_##name;
#include "src/layers/layers.inc"
#undef CHALK_LAYER

/// All layers of layers.inc, in its order.
std::span<const Layer* const> all_layers();

/// The layer of that name, or null.
const Layer* find_layer(std::string_view name);

/// The field "init": how a layer's weights start.
void visit_init(FieldVisitor& v, WeightInit& init);

/// The activation of that name, or null.
const Layer* find_activation(std::string_view name);

/// "relu, sigmoid, tanh or linear", for messages; `last` is "or", or "and".
std::string activation_names(std::string_view last);

}  // namespace chalk
