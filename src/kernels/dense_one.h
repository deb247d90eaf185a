// The dense layer of one sample: plain floats, the same sums in the same order as the kernels on lanes of dense.h.
#pragma once

#include <cstdint>

namespace chalk {

/// dense_forward() of one sample. `packed` is what dense_forward_pack makes; bias (may be null) and y have room for
/// outputs rounded up to a multiple of 4.
void dense_forward_one(std::int64_t outputs, std::int64_t inputs, const float* x, const float* packed,
                       const float* bias, bool relu, float* y);

}  // namespace chalk
