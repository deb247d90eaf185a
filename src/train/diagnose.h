// Finds out where a number went wrong.
#pragma once

#include <span>
#include <string>

#include "chalkgrad/train.h"

namespace chalk {

/// "NaN" or "inf".
std::string name_of_flaw(float value);
/// "the layer conv2 (NaN) for sample 17": a value of the graph whose element `at`, over all samples, is not finite.
std::string place_of_flaw(const Graph& graph, NodeId id, float value, std::size_t at, const std::uint32_t* rows);

/// The first parameter or layer, in the network's order, that holds a value that is not finite for these samples, e.g.
/// "the layer conv2 (NaN) for sample 17" or "the parameter conv1.weight (inf)"; "the loss" if all layers are finite.
std::string first_not_finite(Network& network, const Feed& x, std::size_t samples, const std::uint32_t* rows);

/// "the parameter conv1.weight is not finite (inf)": the first of these; empty if all are finite. Allocates nothing
/// then.
std::string variable_not_finite(const Variables& variables, std::span<const std::string> names);
/// Throws NumericError naming the first parameter of the network that holds NaN or infinity.
void check_parameters(const Network& network);
/// Throws NumericError naming the first parameter or layer in which that is so when the graph predicts these samples.
[[noreturn]] void fail_prediction(const Graph& graph, Variables& variables, const Feed& x, std::size_t samples,
                                  const std::uint32_t* rows = nullptr);

/// For losses that take only certain numbers: the first of these samples that such an output's loss does not take, and
/// what to do about it: "tanh2 gives -0.31 for output 4 of sample 17; …". Empty if there is none, or if they take all.
std::string output_outside_domain(Network& network, const Feed& x, std::uint64_t position, const Loss& first,
                                  std::span<const NetworkOutput> outputs, std::size_t samples,
                                  const std::uint32_t* rows);

/// The same for a graph with one output, whose element `index` for `sample` is `value`. Empty if the loss takes it.
std::string outside_domain(const Graph& graph, const Loss& loss, double value, std::size_t index, std::size_t sample);

}  // namespace chalk
