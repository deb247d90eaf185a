// Convolution by kernels of 1 × 1, with stride 1, no padding, one group and at least four channels and filters: a
// product of matrices for each sample.
//
// The sums of the forward map and of the input gradient, their order and so the bits are those of the direct kernels
// (conv_direct.h). What differs is where x is read: the first filters copy it, a few places of all channels side by
// side, for the others. In an activation a place's channels lie a plane apart, and where that is a power of two they
// push each other out of every cache.
#pragma once

#include "src/kernels/conv.h"

namespace chalk {

/// True if these kernels can do the shape, and if they do so faster than the direct ones.
bool pointwise_fits(const ConvShape& s);
bool pointwise_forward_pays(const ConvShape& s);
bool pointwise_input_grad_pays(const ConvShape& s);
bool pointwise_weight_grad_pays(const ConvShape& s);

/// For shapes that fit and no pooling.
std::unique_ptr<const ConvForward> plan_pointwise_forward(const ConvShape& s, const ConvEpilogue& e);

/// For shapes that fit.
std::unique_ptr<const ConvInputGrad> plan_pointwise_input_grad(const ConvShape& s);

/// For shapes that fit: in bands of 32 places, one after another in row-major order, each sum is fma-accumulated from
/// +0 over the band's places and in each over the first `valid` lanes; bands are added to the first in turn, and the
/// whole to dw if accumulate.
std::unique_ptr<const ConvWeightGrad> plan_pointwise_weight_grad(const ConvShape& s);

}  // namespace chalk
