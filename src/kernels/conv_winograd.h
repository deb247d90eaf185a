// Convolution by Winograd's minimal filtering F(4×4, 3×3): for kernels of 3 × 3, stride 1, no dilation, one group.
//
// A 4 × 4 tile of z is Aᵀ[(G w Gᵀ) ⊙ (Bᵀ x B)]A, where x is the 6 × 6 patch that it reads: 36 products for each pair of
// channel and filter instead of 144 (Lavin & Gray 2015, eq. 8 and section 4.3). The transforms are linear, so the sum
// over channels is taken between them.
//
// The price is rounding: with n terms summed, an error of up to (n + 19)·ε/2·Σ|Aᵀ|(|G||w||Gᵀ| ⊙ |Bᵀ||x||B|)|A|, in
// practice one or two millionths of the largest sum of |products|. A NaN or an infinity reaches all places of a tile,
// but no other sample. As everywhere, the arithmetic is fixed by the shape alone: one result on every instruction set.
#pragma once

#include "src/kernels/conv.h"

namespace chalk {

/// True if these kernels can do the shape (padding: up to 2), and if they do so faster than the direct ones.
bool winograd_fits(const ConvShape& s);
bool winograd_forward_pays(const ConvShape& s);
bool winograd_input_grad_pays(const ConvShape& s);
bool winograd_weight_grad_pays(const ConvShape& s);

/// Pooling windows that lie within a tile can join.
bool winograd_pools(std::int64_t pool_h, std::int64_t pool_w);

/// As conv_forward, for shapes that fit and windows that join. Each of the 36 products is fma-accumulated from +0 over
/// c in order.
std::size_t winograd_forward_packed(const ConvShape& s);
void winograd_forward_pack(const ConvShape& s, const float* w, float* packed);
std::size_t winograd_forward_scratch(const ConvShape& s);
void winograd_forward(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed, const float* bias,
                      float* y, float* index, float* scratch);

/// As conv_input_grad, for shapes that fit: the forward map of dz with w reversed, and padded by 2 − padding.
std::size_t winograd_input_grad_packed(const ConvShape& s);
void winograd_input_grad_pack(const ConvShape& s, const float* w, float* packed);
std::size_t winograd_input_grad_scratch(const ConvShape& s);
void winograd_input_grad(const ConvShape& s, const float* dz, const float* packed, float* dx, float* scratch);

/// As conv_weight_grad, for shapes that fit: Gᵀ[Σ (A dz Aᵀ) ⊙ (Bᵀ x B)]G, the transposed map. The sum runs over z's
/// tiles in row-major order, where places beyond z count as 0, in ⌈tiles / 32⌉ bands: from tile ⌊k · tiles / bands⌋ up
/// to ⌊(k+1) · tiles / bands⌋. In a band each lane is fma-accumulated from +0, then the lanes fold, and the folds are
/// added.
std::size_t winograd_weight_grad_scratch(const ConvShape& s);
void winograd_weight_grad(const ConvShape& s, const float* x, const float* dz, float* dw, int valid, bool accumulate,
                          float* scratch);

}  // namespace chalk
