// A trained network for other classes: the same layers, but for the last one.
//
//   const auto head = replace_head(Network::load("resnet18.onnx"), 37);
//   Network net = network(head.text, {3, 224, 224});   // and take_weights() for all else (chalkgrad/network.h)
#pragma once

#include <cstdint>
#include <string>

#include "chalkgrad/network.h"

namespace chalk {

/// A network's text in which the last dense or convolution layer has another number of outputs.
struct NewHead {
  std::string text;
  std::string layer;        ///< whose outputs these are: "fc", or "the last layer" if it has no name
  std::int64_t before = 0;  ///< how many outputs there were
};
/// For as many classes as other data have. `outputs` is at least 1. Throws InputError if what the network predicts is
/// not made by such a layer, followed by none with weights.
NewHead replace_head(const Network& model, std::int64_t outputs);

}  // namespace chalk
