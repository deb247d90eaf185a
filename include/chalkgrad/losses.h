// What training minimises, and likelihoods, which it maximises: functions that build graph, and their names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "chalkgrad/graph.h"

namespace chalk {

/// A loss is minimised (w ← w − lr · ∂/∂w), a likelihood maximised (w ← w + lr · ∂/∂w). For labelled data, the target
/// is always one-hot.
enum class Loss : std::uint8_t {
#define CHALK_LOSS(name) name,
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
};
/// All of them, in the order of the list.
std::span<const Loss> all_losses();
/// True for the likelihoods.
bool maximised(Loss loss);
/// "cross-entropy", "log-likelihood", …: as on the command line.
std::string_view name_of(Loss loss);
/// The one of that name, or nothing.
std::optional<Loss> find_loss(std::string_view name);

// All are for one sample. For a classifier, the target t is a distribution over the classes (a one-hot label); logits
// are what goes into its softmax or its sigmoids. Output and target must have the same shape (otherwise ShapeError).

/// −Σ t·ln softmax(logits), of one vector of classes.
Value cross_entropy(Value logits, Value target);
/// Σ t·ln softmax(logits): cross-entropy without its sign.
Value log_likelihood(Value logits, Value target);
/// −Σ (t·ln y + (1 − t)·ln(1 − y)): every output is a separate probability, from 0 to 1. One that is exactly right, 0
/// or 1, costs nothing; one that is exactly wrong has no finite loss and no way back. So of y = sigmoid(z), with or
/// without reshapes behind it, the loss is sigmoid_cross_entropy(z, t); and of y = softmax(z) it is computed from z,
/// too.
Value binary_cross_entropy(Value y, Value target);
/// The same for y = sigmoid(logits), as Σ (ln(1 + e^z) − t·z): accurate however close to 0 or 1 the outputs are.
Value sigmoid_cross_entropy(Value logits, Value target);
/// ½ Σ (y − t)².
Value squared_error(Value y, Value target);
/// Σ (t − y)², without the ½.
Value sum_of_squares(Value y, Value target);
/// Σ |t − y| / n, for n outputs per sample; the derivative is 0 where they are equal.
Value mean_absolute_error(Value y, Value target);
/// −½ Σ (t − y)²: the log-likelihood of targets with Gaussian noise, up to a constant.
Value gaussian_log_likelihood(Value y, Value target);

}  // namespace chalk
