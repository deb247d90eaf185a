// Tuned pooling kernels on lanes (see conv.h for the layout).
#pragma once

#include <cstdint>

namespace chalk {

/// Windows of pool_h × pool_w whose stride is their size, on planes of height × width; rows and columns left over lie
/// in none.
struct PoolShape {
  std::int64_t channels, height, width, pool_h, pool_w;
};

/// x[c,h,w] = +0 + y of the window that (h, w) lies in if its index, a·pool_w + b as a float, names the place; else +0.
void pool_scatter(const PoolShape& s, const float* y, const float* index, float* x);

}  // namespace chalk
