// The dense layer of one sample: plain floats, the same sums in the same order as the kernels on lanes of dense.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/share.h"

namespace chalk {

/// dense_forward() of one sample. `packed` (dense_one_packed floats) is written by dense_one_pack from w whenever w has
/// changed; bias (may be null) and y have room for outputs rounded up to a multiple of 16.
std::size_t dense_one_packed(std::int64_t outputs, std::int64_t inputs);
void dense_one_pack(std::int64_t outputs, std::int64_t inputs, const float* w, float* packed, Share share);
void dense_one(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed, const float* bias,
               bool relu, float* y);

}  // namespace chalk
