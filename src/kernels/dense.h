// Tuned dense-layer kernels on lanes (see conv.h for the layout). W is [outputs][inputs], row-major floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/kernels/sgd_step.h"

namespace chalk {

/// A value of several microbatches: each begins `step` floats after the one before it.
struct Microbatches {
  std::int64_t count = 1;
  std::int64_t x_step = 0, y_step = 0;
};

/// y[o] = Σ_i W[o,i] · x[i], fma-accumulated from +0 over i in order; then + bias[o] (if not null); then max(0, ·) if
/// relu. For some outputs of a layer, w, bias and y begin at the first of them.
void dense_forward(std::int64_t outputs, std::int64_t inputs, const Microbatches& all, const float* x, const float* w,
                   const float* bias, bool relu, float* y);

/// dx[i] = Σ_o W[o,i] · dy[o], fma-accumulated from +0 over o in order; all.x_step is dx's, all.y_step dy's. For
/// `count` inputs of a layer, w and dx begin at the first of them.
void dense_input_grad(std::int64_t outputs, std::int64_t inputs, std::int64_t count, const Microbatches& all,
                      const float* dy, const float* w, float* dx);

/// Sixteen lanes of x turned into rows, as dense_weight_grad reads them: xt[n][i] = x[i][n], with zeros from i = inputs
/// on to a multiple of 16. xt: dense_transposed floats.
std::size_t dense_transposed(std::int64_t inputs);
void dense_transpose(std::int64_t inputs, const float* x, float* xt);

/// dW[o,i] = Σ_n dy[o][n] · x[i][n] over all samples n of a batch, of which the last microbatch has `valid`. Samples of
/// a slot (microbatches s, s + slots, s + 2·slots …) are fma-accumulated in order from +0; slots fold as in fold.h.
struct DenseBatch {
  std::int64_t outputs, inputs;  // dy and dw begin at the first of these outputs; slots <= kMaxSlots
  Microbatches all;              // x_step is xt's, y_step dy's
  int valid, slots;
};
void dense_weight_grad(const DenseBatch& of, const float* xt, const float* dy, float* dw);

/// The step of SGD that dW leads to, without dW being stored. The matrices begin at the first of the outputs.
void dense_weight_step(const DenseBatch& of, const float* xt, const float* dy, const SgdStep& step);

}  // namespace chalk
