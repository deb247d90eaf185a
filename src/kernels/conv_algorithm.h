// The two ways to do a convolution, direct or by Winograd's transforms: the same maps, from weights packed otherwise.
#pragma once

#include "src/kernels/conv.h"
#include "src/kernels/conv_one.h"
#include "src/kernels/conv_winograd.h"

namespace chalk {

/// Functions as conv.h and conv_one.h describe them.
struct ConvAlgorithm {
  decltype(&conv_forward_packed) forward_packed;
  decltype(&conv_forward_pack) forward_pack;
  decltype(&conv_forward_scratch) forward_scratch;
  decltype(&conv_forward) forward;
  decltype(&conv_forward_one_scratch) forward_one_scratch;
  decltype(&conv_forward_one) forward_one;
  decltype(&conv_input_grad_packed) input_grad_packed;
  decltype(&conv_input_grad_pack) input_grad_pack;
  decltype(&conv_input_grad_scratch) input_grad_scratch;
  decltype(&conv_input_grad) input_grad;
  decltype(&conv_weight_grad_scratch) weight_grad_scratch;
  decltype(&conv_weight_grad) weight_grad;
};

inline constexpr ConvAlgorithm kDirectConv{conv_forward_packed,    conv_forward_pack,        conv_forward_scratch,
                                           conv_forward,           conv_forward_one_scratch, conv_forward_one,
                                           conv_input_grad_packed, conv_input_grad_pack,     conv_input_grad_scratch,
                                           conv_input_grad,        conv_weight_grad_scratch, conv_weight_grad};

/// For shapes that winograd_fits(), and windows that winograd_pools().
inline constexpr ConvAlgorithm kWinogradConv{
    winograd_forward_packed,
    winograd_forward_pack,
    [](const ConvShape& s, const ConvEpilogue&) { return winograd_forward_scratch(s); },
    winograd_forward,
    winograd_forward_one_scratch,
    winograd_forward_one,
    winograd_input_grad_packed,
    winograd_input_grad_pack,
    winograd_input_grad_scratch,
    winograd_input_grad,
    winograd_weight_grad_scratch,
    winograd_weight_grad};

}  // namespace chalk
