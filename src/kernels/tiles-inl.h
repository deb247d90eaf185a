// The register tiles of each instruction set: the one place where they differ. Included once per instruction set, after
// <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_TILES_INL_H_
#undef CHALKGRAD_TILES_INL_H_
#else
#define CHALKGRAD_TILES_INL_H_
#endif

#include "src/base/lanes-inl.h"

// Vectors live in arrays; they reach registers only if every loop over them is unrolled. Portable code calls a function
// for each fused multiply-add, so it has nothing in registers to gain, and unrolled it was larger than all of AVX-512.
#undef CHALKGRAD_UNROLL
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#define CHALKGRAD_UNROLL
#elif HWY_COMPILER_CLANG
#define CHALKGRAD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CHALKGRAD_UNROLL _Pragma("GCC unroll 24")
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kWidth = static_cast<int>(hn::MaxLanes(LaneTag()));  // floats in a native vector
constexpr int kPieces = 16 / kWidth;                               // native vectors of sixteen samples

// Tile sizes of each target: how many sums fit in registers with their operands; how many of a dense layer are summed
// at once, if their weights are neighbours or if each reads a row of its own (few, lest rows whose distance is a power
// of two push each other out of cache); for how many sample groups at once, where there are several; and how many lane
// groups pass through a chain of elementwise operations side by side. Of a depthwise convolution: columns of a strip;
// and of its weight gradient, sums that are formed at once, and columns whose dz stays in registers.
#if HWY_TARGET == HWY_AVX2  // 16 registers, a lane group takes two
constexpr int kMaxSums = 12, kDenseColumns = 6, kDenseRows = 6, kDenseGroups = 1, kChainGroups = 4;
constexpr int kStripColumns = 8, kTapSums = 10, kTapColumns = 4;
#elif HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128  // for correctness; small code
constexpr int kMaxSums = 4, kDenseColumns = 4, kDenseRows = 4, kDenseGroups = 1, kChainGroups = 1;
constexpr int kStripColumns = 1, kTapSums = 1, kTapColumns = 1;
#else                                                       // 32 registers
constexpr int kMaxSums = 24, kDenseColumns = 16, kDenseRows = 12, kDenseGroups = kPieces == 1 ? 4 : 1;
constexpr int kChainGroups = kPieces == 1 ? 16 : 4;
constexpr int kStripColumns = 16, kTapSums = 21, kTapColumns = 4;
#endif

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
