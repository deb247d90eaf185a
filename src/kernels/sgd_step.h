// A step of SGD, and the chain of links (chain.h) that is one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "src/kernels/chain.h"

namespace chalk {

/// A step of SGD from a gradient g, every product and sum rounded separately:
///   g ← g + λ·w, if the weights decay;
///   m ← μ·m + g, if there is momentum;
///   w ← w − η·g; with momentum w − η·m, with Nesterov's w − η·(g + μ·m).
/// An ascent has g − λ·w and w + η·… instead.
struct SgdStep {
  const float* rate;                // η, one number
  const float* decay = nullptr;     // λ, or null
  const float* momentum = nullptr;  // μ, or null
  bool nesterov = false, ascends = false;
  const float *w, *m = nullptr;
  float *w_next, *m_next = nullptr;  // may be w and m
};

/// A step whose numbers and matrices are operands of a chain.
struct SgdChain {
  bool decays = false, has_momentum = false, nesterov = false, ascends = false;
  std::uint16_t rate = 0, decay = 0, momentum = 0, w = 0, m = 0, w_next = 0, m_next = 0;

  /// `at`: where the operands begin.
  SgdStep step(float* const* at) const;
};

/// The step that these links take from the gradient, if they are one and write just these values.
std::optional<SgdChain> find_sgd_chain(std::span<const Link> links, std::uint16_t gradient,
                                       std::span<const std::uint16_t> written);

}  // namespace chalk
