// Convolution kernels of one sample: x[channel][row][column], plain floats. The same sums in the same order as the
// kernels on lanes of conv.h, hence the same bits, from the same packed weights.
#pragma once

#include "src/kernels/conv.h"

namespace chalk {

/// Floats after places in scratch, so that they can be read in whole vectors.
constexpr std::int64_t kOneMargin = 64;

/// conv_forward() of one sample. `packed` is what conv_forward_pack makes. y and index are contiguous.
std::size_t conv_forward_one_scratch(const ConvShape& s, const ConvEpilogue& e);  // floats, 64-byte aligned
void conv_forward_one(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed, const float* bias,
                      float* y, float* index, float* scratch);

/// winograd_forward() of one sample. `packed` is what winograd_forward_pack makes; x is readable for 15 floats more.
std::size_t winograd_forward_one_scratch(const ConvShape& s, const ConvEpilogue& e);
void winograd_forward_one(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed,
                          const float* bias, float* y, float* index, float* scratch);

}  // namespace chalk
