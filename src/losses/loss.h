// What a loss is. A file in this folder defines it, alone or with its family; chalkgrad/losses.inc lists it.
#pragma once

#include <string_view>

#include "chalkgrad/fields.h"
#include "chalkgrad/losses.h"
#include "src/ir/op.h"

namespace chalk {

struct LossDefinition {
  /// For people to read, with y for the network's output and t for the target: "½ Σ (t − y)²".
  Required<std::string_view> formula;
  /// The target is a distribution over classes, and a softmax that ends the network is part of the loss: `build` is
  /// given what goes into that softmax.
  Required<bool> of_softmax;
  bool maximised = false;
  /// Makes one number per sample of the network's output and the target, which have the same shape.
  Required<Value (*)(Value y, Value target)> build;

  // If the loss does not take all numbers. The sentences end messages: what it needs, and what to do.
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
/// Whether the target of this loss is a distribution over classes, and a last softmax is part of it.
bool of_softmax(Loss loss);

// ---- for the files of the losses ----

/// Elementwise operations would broadcast, and a loss against a stretched target is a silent error. Throws ShapeError.
void check_same_shape(Value y, Value target, std::string_view loss);

#define CHALK_LOSS(name) extern const LossDefinition loss_##name;
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS

}  // namespace chalk
