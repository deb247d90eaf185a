// Lookahead: an optimizer's steps explore, and slow weights follow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chalkgrad/fields.h"

namespace chalk {

/// Around any optimizer. Its steps change the fast weights θ, on which gradients are taken; after every k-th of them
///   φ ← φ + alpha · (θ − φ),   θ ← φ
/// with the slow weights φ, which begin as the first weights (Zhang et al. 2019, algorithm 1). The optimizer's state
/// stays as it is. The network's parameters are the slow weights, between any two steps: those of the last k-th step,
/// wherever an epoch or the run ends. The fast ones are beside them, as NAME.fast. Running statistics are those of the
/// fast weights' batches. As in Optax and TensorFlow Addons; in timm the slow weights begin as the fast ones of step k.
/// PyTorch and Keras have no Lookahead.
struct Lookahead {
  std::int64_t steps = 0;  ///< k >= 1; 0: no Lookahead
  double alpha = 0.5;      ///< 1e-6 … 1

  /// "5", "5,0.8", "steps=5,alpha=0.8"; "none" or nothing. Throws InputError saying what is allowed.
  static Lookahead parse(std::string_view text);
  /// How it is written: "STEPS,ALPHA".
  static std::string form();
  /// parse(text()) is the same; empty if it is none.
  std::string text() const;

  explicit operator bool() const { return steps > 0; }
  /// How much of the difference to the fast weights after step `step` (0, 1, …) the slow ones move by: alpha or 0.
  double pull(std::int64_t step) const { return (step + 1) % steps == 0 ? alpha : 0; }
  void visit(FieldVisitor& v);
  /// Throws InputError naming a parameter that is out of its range.
  void check() const;
  bool operator==(const Lookahead&) const = default;
};

}  // namespace chalk
