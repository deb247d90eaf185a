// The machine's peak, measured: fused multiply-adds on registers alone.
#pragma once

namespace chalk {

/// Floating-point operations (two for a fused multiply-add) a second of `threads` threads together, over about
/// `seconds`, with the instruction set that kernels run on.
double fma_peak(int threads, double seconds);

}  // namespace chalk
