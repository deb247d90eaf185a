// Tuned convolution kernels on lanes: x[channel][row][column][16], sixteen samples side by side.
//
// All activations are 64-byte aligned arrays of 16-float lane groups ("elements"); weights are plain floats. Every
// kernel's arithmetic is fixed by its shape alone: one result, bit for bit, on every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chalk {

/// A convolution z[o,p,q] = Σ w[o,c,a,b] · x[c, p·stride + a·dilation − padding, …], c within o's group.
struct ConvShape {
  std::int64_t channels, height, width;      // of x
  std::int64_t filters, kernel_h, kernel_w;  // of w: filters × channels/groups × kernel_h × kernel_w
  std::int64_t out_h, out_w;                 // of z
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_h = 0, pad_w = 0;  // zeros before and after each row and column
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t groups = 1;
};

/// What happens to z before it is stored: + bias, then max(0, ·), then the maximum over pool_h × pool_w windows whose
/// stride is their size (rows and columns left over are dropped). y and index have out_h/pool_h × out_w/pool_w places.
struct ConvEpilogue {
  bool bias = false;
  bool relu = false;
  std::int64_t pool_h = 1, pool_w = 1;  // 1 × 1: no pooling, no index
};

/// Forward. `packed` (conv_forward_packed floats) is written by conv_forward_pack from w whenever w has changed.
/// Each z is fma-accumulated from +0 over (c, a, b) in that order (padding contributes its zeros), then + bias.
/// `index` receives, as a float, a·pool_w + b of the first maximum of each window (may be null).
/// relu(NaN) = NaN, relu(−0) = −0, and the first NaN in a window is its maximum.
std::size_t conv_forward_packed(const ConvShape& s);  // floats
void conv_forward_pack(const ConvShape& s, const float* w, float* packed);
std::size_t conv_forward_scratch(const ConvShape& s, const ConvEpilogue& e);  // floats, 64-byte aligned
void conv_forward(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* packed, const float* bias,
                  float* y, float* index, float* scratch);

/// Gradient with respect to x: dx[c,h,w] = Σ w[o,c,a,b] · dz[o,p,q] over all (o,p,q,a,b) that read x[c,h,w],
/// fma-accumulated from +0 over (p, b, o) in that order. Other products are not formed, not even with a zero: an x that
/// nothing reads gets +0, and infinite weights spread only where they are used.
std::size_t conv_input_grad_packed(const ConvShape& s);
void conv_input_grad_pack(const ConvShape& s, const float* w, float* packed);
std::size_t conv_input_grad_scratch(const ConvShape& s);
void conv_input_grad(const ConvShape& s, const float* dz, const float* packed, float* dx, float* scratch);

/// Gradient with respect to w, summed over the first `valid` lanes (the others count as 0, even if NaN), which fold in
/// the tree 16→8→4→2→1 (lane i with i+8, then i+4, …). Each lane is fma-accumulated from +0 over (p, q) in order,
/// within a band of z's rows; padding contributes its zeros. With R = min(⌈96 / out_w⌉, out_h) there are B = ⌈out_h /
/// R⌉ bands, of rows ⌊k · out_h / B⌋ up to ⌊(k+1) · out_h / B⌋, and each band's fold is added to dw in turn: to dw's
/// present value if accumulate, otherwise the first band's replaces it.
std::size_t conv_weight_grad_scratch(const ConvShape& s);
void conv_weight_grad(const ConvShape& s, const float* x, const float* dz, float* dw, int valid, bool accumulate,
                      float* scratch);

}  // namespace chalk
