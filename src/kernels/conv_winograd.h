// Convolution by Winograd's minimal filtering F(4×4, r×r): for kernels of 3 × 3 and 5 × 5 with stride 1, and of 3 × 3
// with stride 2; no dilation, one group.
//
// A 4 × 4 tile of z is Aᵀ[(G w Gᵀ) ⊙ (Bᵀ x B)]A, where x is the patch of (3 + r)² places that it reads: for 3 × 3, 36
// products for each pair of channel and filter instead of 144, for 5 × 5, 64 instead of 400 (Lavin & Gray 2015, eq. 8
// and section 4.3). The transforms are linear, so the sum over channels is taken between them. With stride 2 a patch is
// of 9² places: in a line, the even places meet the first and the last weight, as in F(4, 2), and each odd place the
// middle one; so there are 81 products instead of 144, with 36 different weights.
//
// The price is rounding: with n terms summed, an error of up to (n + 19)·ε/2·Σ|Aᵀ|(|G||w||Gᵀ| ⊙ |Bᵀ||x||B|)|A| for 3 ×
// 3, (n + 26)·ε/2·Σ… for 5 × 5; in practice one or two millionths of the largest sum of |products|, for 5 × 5 some
// five. A NaN or an infinity reaches all places of a tile, but no other sample. As everywhere, the arithmetic is fixed
// by the shape alone: one result on every instruction set.
#pragma once

#include <algorithm>

#include "src/kernels/conv.h"

namespace chalk {

/// True if these kernels can do the shape (padding: less than the kernel), and if they do so faster than the direct
/// ones.
bool winograd_fits(const ConvShape& s);
bool winograd_forward_pays(const ConvShape& s);
bool winograd_input_grad_pays(const ConvShape& s);
bool winograd_weight_grad_pays(const ConvShape& s);

/// Planes whose products are summed, and whose weights are packed, one after another.
constexpr std::int64_t kWinogradSum = 64;

/// Floats between planes of points, lest all fall on one set of a cache.
constexpr std::int64_t kWinogradGap = 16;

/// Products for each pair of channel and filter.
inline std::int64_t winograd_points(const ConvShape& s) {
  return (3 * s.stride_h + s.kernel_h) * (3 * s.stride_w + s.kernel_w);
}

/// Planes of transformed weights, and which of them a point meets: with a stride of 2, several points meet the same.
inline std::int64_t winograd_weight_planes(const ConvShape& s) { return s.stride_h == 2 ? 36 : winograd_points(s); }
inline std::int64_t winograd_weight_plane(const ConvShape& s, std::int64_t point) {
  constexpr std::int64_t kLine = 9, kPlanes = 6;
  if (s.stride_h == 1) return point;
  return std::min(point / kLine, kPlanes - 1) * kPlanes + std::min(point % kLine, kPlanes - 1);
}

/// Time that the transforms of a tile take for each channel and each filter, in products.
std::int64_t winograd_lines(const ConvShape& s);

/// Pooling windows that lie within a tile can join.
bool winograd_pools(std::int64_t pool_h, std::int64_t pool_w);

/// For shapes that fit, and windows that join: each of the products is fma-accumulated from +0 over c in order.
std::unique_ptr<const ConvForward> plan_winograd_forward(const ConvShape& s, const ConvEpilogue& e);

/// For shapes that fit: the forward map of dz with w reversed, and padded by r − 1 − padding; or, where z has fewer
/// tiles than x, as with stride 2, the transposed map: each tile of z, in row-major order, adds B[(G w Gᵀ) ⊙ (A dz
/// Aᵀ)]Bᵀ to its patch of x, where products are fma-accumulated from +0 over filters in order.
std::unique_ptr<const ConvInputGrad> plan_winograd_input_grad(const ConvShape& s);

/// For shapes that fit: Gᵀ[Σ (A dz Aᵀ) ⊙ (Bᵀ x B)]G, the transposed map. The sum runs over z's tiles in row-major
/// order, where places beyond z count as 0, and in each over the first `valid` lanes; it is fma-accumulated from +0 in
/// this order. With stride 2, in each band of tiles the points that meet the same weight enter one sum, point after
/// point.
std::unique_ptr<const ConvWeightGrad> plan_winograd_weight_grad(const ConvShape& s);

}  // namespace chalk
