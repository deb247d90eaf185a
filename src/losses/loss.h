// What a loss is. A file of this folder defines it, by itself or with its family; chalkgrad/losses.inc lists it.
#pragma once

#include <string_view>

#include "chalkgrad/fields.h"
#include "chalkgrad/losses.h"
#include "src/ir/op.h"

namespace chalk {

struct LossDefinition {
  /// Of y, the network's output, and t, the target, for people to read: "½ Σ (t − y)²".
  Required<std::string_view> formula;
  /// The target is a distribution over classes, and a softmax that ends the network is part of the loss: `build` is
  /// given what that softmax is made of.
  Required<bool> of_softmax;
  bool maximised = false;
  /// What is a number for each sample, of the network's output and the target, of the same shape.
  Required<Value (*)(Value y, Value target)> build;

  // Where not every number will do. The sentences end messages: what the loss needs, and what to do.
  Range targets{};
  std::string_view about_targets{};
  Range outputs{};
  std::string_view about_outputs{};
};

/// How it is defined, and its name in C++ and in model files: "cross_entropy".
const LossDefinition& definition_of(Loss loss);
std::string_view stored_name(Loss loss);
/// The loss with that name in a model file, or nothing.
std::optional<Loss> find_stored_loss(std::string_view name);
/// Whether the target of this loss is a distribution over classes, and a last softmax part of it.
bool of_softmax(Loss loss);

// ---- for the files of the losses ----

/// Elementwise operations would broadcast, and a loss against a stretched target is a quiet mistake. Throws ShapeError.
void check_same_shape(Value y, Value target, std::string_view loss);

#define CHALK_LOSS(name) extern const LossDefinition loss_##name;
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS

}  // namespace chalk
