// Finding out where a number went wrong.
#pragma once

#include <string>

#include "chalkgrad/train.h"

namespace chalk {

/// The first parameter or layer, in the network's order, that holds a value that is not finite for these samples, e.g.
/// "conv2 (NaN)" or "the parameter conv1.weight (inf)"; "the loss" if all layers are sound.
std::string first_not_finite(Network& network, const Dataset& data, std::size_t samples, const std::uint32_t* rows);

/// For binary cross-entropy: the first output of these samples that has no logarithm, and what to do about it: "tanh2
/// gives -0.31 for output 4 of sample 17; …". Empty if there is none, or if the loss is another.
std::string output_without_logarithm(Network& network, const Dataset& data, Loss loss, std::size_t samples,
                                     const std::uint32_t* rows);

/// The same about a network's graph: output `index` of `sample` is `value`.
std::string without_logarithm(const Graph& graph, double value, std::size_t index, std::size_t sample);

}  // namespace chalk
