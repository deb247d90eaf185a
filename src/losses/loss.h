// What a loss is. A file in this folder defines it, alone or with its family; chalkgrad/losses.inc lists it.
#pragma once

#include <string_view>
#include <vector>

#include "chalkgrad/fields.h"
#include "chalkgrad/losses.h"
#include "src/ir/op.h"

namespace chalk {

/// What a target is.
enum class Target : std::uint8_t {
  numbers,    ///< of the output's shape
  classes,    ///< a distribution over the classes, as a one-hot label is
  one_class,  ///< a one-hot label, and no other distribution
  places,     ///< a label for each place of an output C×H×W: whole numbers, of H×W
};

struct LossDefinition {
  /// For people to read, with y for the network's output and t for the target: "½ Σ (t − y)²".
  Required<std::string_view> formula;
  Required<Target> target;
  /// A softmax that ends the network is part of the loss: `build` is given what goes into that softmax.
  bool of_softmax = false;
  bool maximised = false;
  /// Makes one number per sample of the network's output and the target.
  Required<Value (*)(const Attributes& options, Value y, Value target)> build;
  /// What a sample counts in the mean over a batch; an empty value is 1, as if there is no function.
  Value (*weight)(const Attributes& options, Value y, Value target) = nullptr;
  /// Its options as they are without being set.
  Attributes (*defaults)() = nullptr;

  // If the loss does not take all numbers. The sentences end messages: what it needs, and what to do.
  Range targets{};
  std::string_view about_targets{};
  Range outputs{};
  std::string_view about_outputs{};
};

/// How it is defined, and its name in C++ and in model files: "cross_entropy".
const LossDefinition& definition_of(const Loss& loss);
std::string_view stored_name(const Loss& loss);
/// The loss with that name in a model file, or nothing.
std::optional<Loss> find_stored_loss(std::string_view name);
/// Whether a last softmax is part of this loss.
bool of_softmax(const Loss& loss);
/// Whether a sample's target is a label or a distribution over the classes.
bool of_classes(const Loss& loss);
/// The shape of a target for outputs of this shape.
Shape target_shape(const Loss& loss, const Shape& output);

// ---- for the files of the losses ----

/// Elementwise operations would broadcast, and a loss against a stretched target is a silent error. Throws ShapeError.
void check_same_shape(Value y, Value target, std::string_view loss);
/// One vector of classes, and a target of its shape.
void check_classes(Value y, Value target, std::string_view loss);

/// Throws InputError "huber: delta is 0; it must be a number above 0", with the loss's stored name.
void check_options(const Loss& loss);

/// The field class_weights.
void visit_class_weights(FieldVisitor& v, std::vector<double>& weights);
/// The numbers as a shared constant, a vector.
Value constant_vector(Graph& graph, const std::vector<double>& numbers);
/// Class weights for an output whose first axis are the classes. Throws ShapeError unless there is one for each.
Value class_weights_of(Value y, const std::vector<double>& weights, std::string_view loss);

#define CHALK_LOSS(name) extern const LossDefinition loss_##name;
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS

}  // namespace chalk
