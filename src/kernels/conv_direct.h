// Convolution by its definition, for all shapes. What is documented here besides conv.h is the order of sums.
#pragma once

#include "src/kernels/conv.h"

namespace chalk {

/// Each z is fma-accumulated from +0 over (c, a, b) in that order (padding contributes its zeros), then + bias.
std::unique_ptr<const ConvForward> plan_direct_forward(const ConvShape& s, const ConvEpilogue& e);

/// Each dx is fma-accumulated from +0 over (p, b, o) in that order. Other products are not formed, not even with a
/// zero: an x that nothing reads gets +0, and infinite weights spread only where they are used.
std::unique_ptr<const ConvInputGrad> plan_direct_input_grad(const ConvShape& s);

/// Lanes fold in the tree 16→8→4→2→1 (lane i with i+8, then i+4, …). Each lane is fma-accumulated from +0 over (p, q)
/// in order, within a band of z's rows; padding contributes its zeros. With R = min(⌈96 / out_w⌉, out_h) there are B =
/// ⌈out_h / R⌉ bands, of rows ⌊k · out_h / B⌋ up to ⌊(k+1) · out_h / B⌋, and each band's fold is added to dw in turn:
/// to dw's present value if accumulate, otherwise the first band's replaces it.
std::unique_ptr<const ConvWeightGrad> plan_direct_weight_grad(const ConvShape& s);

/// B.
std::int64_t conv_weight_grad_bands(const ConvShape& s);

}  // namespace chalk
