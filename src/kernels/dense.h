// Tuned dense-layer kernels on lanes (see conv.h for the layout). W is [outputs][inputs], row-major floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chalk {

/// y[o] = Σ_i W[o,i] · x[i], fma-accumulated from +0 over i in order; then + bias[o] (if not null); then max(0, ·) if
/// relu.
void dense_forward(std::int64_t outputs, std::int64_t inputs, const float* x, const float* w, const float* bias,
                   bool relu, float* y);

/// dx[i] = Σ_o W[o,i] · dy[o], fma-accumulated from +0 over o in order.
void dense_input_grad(std::int64_t outputs, std::int64_t inputs, const float* dy, const float* w, float* dx);

/// dW[o,i] = Σ_n dy[o][n] · x[i][n] over the first `valid` lanes n, fma-accumulated in order of n from +0 (or from dW's
/// present value if accumulate). scratch: dense_weight_grad_scratch floats.
std::size_t dense_weight_grad_scratch(std::int64_t outputs, std::int64_t inputs);
void dense_weight_grad(std::int64_t outputs, std::int64_t inputs, const float* x, const float* dy, float* dw, int valid,
                       bool accumulate, float* scratch);

}  // namespace chalk
