// What activations are written with, and lists of them: a function of its own for every node.
//
//   // y = x · σ(x)
//   Value silu(Value x) { return x * sigmoid(x); }
//   const Layer layer_silu = activation<silu>(Activation::silu, "silu", "silu", "x · σ(x)");
//
// A formula in pieces is a `select` with one slope on each side, and what it does not choose must be finite wherever
// the formula is used: its derivative is multiplied by zero.
#pragma once

#include <span>

#include "src/layers/layer.h"

namespace chalk {

/// An activation that is a formula of operations. `name`: its type in TOML; `word`: in a line.
template <Value (*formula)(Value)>
Layer activation(Activation which, std::string_view name, std::string_view word, std::string_view meaning,
                 std::string_view details = {}) {
  return {.name = name,
          .meaning = meaning,
          .details = details,
          .build = [](std::span<const Value> in, const Attributes&) { return formula(in[0]); },
          .line = {.form = Notation::Form::word, .word = word, .example = word},
          .activation = which};
}

/// As activations() of the public header, with the functions as layers.
Value apply_each(Value x, std::span<const Layer* const> functions);

}  // namespace chalk
