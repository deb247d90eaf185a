// Depthwise convolution: each channel has one kernel, and makes one channel of the result. For kernels 3, 5 or 7 wide,
// stride 1 or 2 along rows, no dilation.
//
// The sums and their order are those of the direct kernels (conv_direct.h), and so are the bits, but for one thing: the
// gradient with respect to x takes zeros beside dz's rows into its sums, as the forward map does with x's padding, so
// that an infinite weight makes NaN there.
#pragma once

#include "src/kernels/conv.h"

namespace chalk {

/// True if these kernels can do the shape (padding: less than the kernel). They are faster than the direct ones then.
bool depthwise_fits(const ConvShape& s);

/// For shapes that fit and no pooling.
std::unique_ptr<const ConvForward> plan_depthwise_forward(const ConvShape& s, const ConvEpilogue& e);

/// For shapes that fit.
std::unique_ptr<const ConvInputGrad> plan_depthwise_input_grad(const ConvShape& s);
std::unique_ptr<const ConvWeightGrad> plan_depthwise_weight_grad(const ConvShape& s);

}  // namespace chalk
