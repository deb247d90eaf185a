// The padded rows of one sample, so that what a vector reads lies side by side. Included once per instruction set,
// after <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_CONV_PHASES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_PHASES_INL_H_
#undef CHALKGRAD_CONV_PHASES_INL_H_
#else
#define CHALKGRAD_CONV_PHASES_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/conv_one.h"
#include "src/kernels/conv_one_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// to[i] = from[i · step]; whole vectors are read and written, up to 31 floats beyond the end of `from`, 15 of `to`.
HWY_INLINE void gather_places(const float* from, std::int64_t step, std::int64_t count, float* to) {
  const LaneTag d;
  if (step == 1) {
    std::copy_n(from, count, to);
  } else if (step == 2) {
    for (std::int64_t i = 0; i < count; i += kWidth) {
      LaneVec even, odd;
      hn::LoadInterleaved2(d, from + 2 * i, even, odd);
      hn::StoreU(even, d, to + i);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * step];
  }
}

/// Rows `first`, … of the padded x, `rows` of each channel, as `p` says. `line`: room of p.line_floats().
HWY_INLINE void spread_rows(const ConvShape& s, const ConvPhases& p, const float* x, std::int64_t first,
                            std::int64_t rows, float* line, float* to) {
  const std::int64_t columns = std::clamp<std::int64_t>(p.phases * p.width - s.pad_w, 0, s.width);
  std::fill_n(line, p.line_floats(s), 0.0f);
  for (std::int64_t c = 0; c < s.channels; ++c, x += s.height * s.width) {
    for (std::int64_t r = 0; r < rows; ++r, to += p.row()) {
      const std::int64_t row = first + r - s.pad_h;
      if (row < 0 || row >= s.height) {
        std::fill_n(to, p.row(), 0.0f);
        continue;
      }
      std::copy_n(x + row * s.width, columns, line + s.pad_w);
      for (std::int64_t phase = 0; phase < p.phases; ++phase) {
        float* const places = to + phase * p.width * p.copies;
        if (p.copies == 4) {
          repeat_places(line + phase, p.phases, p.width, places);
        } else {
          gather_places(line + phase, p.phases, p.width, places);
        }
      }
    }
  }
}

/// Where the taps of column j of all windows are found, in order (c, a, b), if each channel has `rows` rows.
HWY_INLINE void locate_phases(const ConvShape& s, const ConvPhases& p, std::int64_t rows, std::int64_t j,
                              std::int64_t* taps) {
  for (std::int64_t c = 0; c < s.channels / s.groups; ++c) {
    for (std::int64_t a = 0; a < s.kernel_h; ++a) {
      const std::int64_t row = (c * rows + a * s.dilation_h) * p.row();
      for (std::int64_t b = 0; b < s.kernel_w; ++b) {
        const std::int64_t column = j * s.stride_w + b * s.dilation_w;
        *taps++ = row + (column % p.phases * p.width + column / p.phases) * p.copies;
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
