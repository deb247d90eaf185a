// The transforms of Winograd's F(4 × 4, 3 × 3), on lanes. Included once per instruction set, after
// <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_CONV_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_WINOGRAD_INL_H_
#undef CHALKGRAD_CONV_WINOGRAD_INL_H_
#else
#define CHALKGRAD_CONV_WINOGRAD_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "src/kernels/conv.h"
#include "src/kernels/conv_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kTile = 4;   // places of z, in a row or column
constexpr int kPatch = 6;  // places of x that they read, and points of the transform: 0, 1, −1, 2, −2, ∞

/// v = Bᵀd:
///    4  0 −5  0  1  0
///    0 −4 −4  1  1  0
///    0  4 −4 −1  1  0
///    0 −2 −1  2  1  0
///    0  2 −1 −2  1  0
///    0  4  0 −5  0  1
HWY_INLINE void to_points(const LaneVec (&d)[kPatch], LaneVec (&v)[kPatch]) {
  const LaneTag tag;
  const auto four = hn::Set(tag, 4.0f), minus_four = hn::Set(tag, -4.0f), minus_five = hn::Set(tag, -5.0f);
  const auto two = hn::Set(tag, 2.0f), minus_two = hn::Set(tag, -2.0f);
  const auto even1 = fused(minus_four, d[2], d[4]), odd1 = fused(minus_four, d[1], d[3]);
  const auto even2 = hn::Sub(d[4], d[2]), odd2 = hn::Sub(d[3], d[1]);
  v[0] = fused(four, d[0], fused(minus_five, d[2], d[4]));
  v[1] = hn::Add(even1, odd1);
  v[2] = hn::Sub(even1, odd1);
  v[3] = fused(two, odd2, even2);
  v[4] = fused(minus_two, odd2, even2);
  v[5] = fused(four, d[1], fused(minus_five, d[3], d[5]));
}

/// z = Aᵀm:
///    1  1  1  1  1  0
///    0  1 −1  2 −2  0
///    0  1  1  4  4  0
///    0  1 −1  8 −8  1
HWY_INLINE void from_points(const LaneVec (&m)[kPatch], LaneVec (&z)[kTile]) {
  const LaneTag tag;
  const auto even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[1], m[2]);
  const auto even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
  z[0] = hn::Add(hn::Add(m[0], even1), even2);
  z[1] = fused(hn::Set(tag, 2.0f), odd2, odd1);
  z[2] = fused(hn::Set(tag, 4.0f), even2, even1);
  z[3] = hn::Add(fused(hn::Set(tag, 8.0f), odd2, odd1), m[5]);
}

/// u = Gw:
///     1/4     0    0
///    −1/6  −1/6 −1/6
///    −1/6   1/6 −1/6
///    1/24  1/12  1/6
///    1/24 −1/12  1/6
///       0     0    1
HWY_INLINE void weights_to_points(const LaneVec (&w)[3], LaneVec (&u)[kPatch]) {
  const LaneTag tag;
  const auto two = hn::Set(tag, 2.0f), minus_two = hn::Set(tag, -2.0f);
  const auto sixth = hn::Set(tag, 1.0f / 6), minus_sixth = hn::Set(tag, -1.0f / 6), far = hn::Set(tag, 1.0f / 24);
  const auto even1 = hn::Add(w[0], w[2]), even2 = fused(hn::Set(tag, 4.0f), w[2], w[0]);
  u[0] = hn::Mul(w[0], hn::Set(tag, 0.25f));
  u[1] = hn::Mul(hn::Add(even1, w[1]), minus_sixth);
  u[2] = hn::Mul(hn::Sub(w[1], even1), sixth);
  u[3] = hn::Mul(fused(two, w[1], even2), far);
  u[4] = hn::Mul(fused(minus_two, w[1], even2), far);
  u[5] = w[2];
}

/// u = Ad, the transpose of from_points.
HWY_INLINE void places_to_points(const LaneVec (&d)[kTile], LaneVec (&u)[kPatch]) {
  const LaneTag tag;
  const auto two = hn::Set(tag, 2.0f), minus_two = hn::Set(tag, -2.0f), four = hn::Set(tag, 4.0f);
  const auto even1 = hn::Add(d[0], d[2]), odd1 = hn::Add(d[1], d[3]);
  const auto even2 = fused(four, d[2], d[0]), odd2 = fused(four, d[3], d[1]);
  u[0] = d[0];
  u[1] = hn::Add(even1, odd1);
  u[2] = hn::Sub(even1, odd1);
  u[3] = fused(two, odd2, even2);
  u[4] = fused(minus_two, odd2, even2);
  u[5] = d[3];
}

/// w = Gᵀm, the transpose of weights_to_points.
HWY_INLINE void weights_from_points(const LaneVec (&m)[kPatch], LaneVec (&w)[3]) {
  const LaneTag tag;
  const auto sixth = hn::Set(tag, 1.0f / 6), minus_sixth = hn::Set(tag, -1.0f / 6);
  const auto even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[2], m[1]);
  const auto even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
  w[0] = fused(hn::Set(tag, 0.25f), m[0], fused(minus_sixth, even1, hn::Mul(hn::Set(tag, 1.0f / 24), even2)));
  w[1] = fused(hn::Set(tag, 1.0f / 12), odd2, hn::Mul(sixth, odd1));
  w[2] = fused(sixth, hn::Sub(even2, even1), m[5]);
}

/// v[k] = (Bᵀ d B)[k], for the 36 points k, of a patch whose rows lie d_row floats apart.
static HWY_NOINLINE void transform_patch(const float* d, std::int64_t d_row, float* v, std::int64_t v_plane) {
  const LaneTag tag;
  for (int part = 0; part < 16; part += kWidth) {
    LaneVec t[kPatch][kPatch];
    CHALKGRAD_UNROLL
    for (int j = 0; j < kPatch; ++j) {
      LaneVec column[kPatch], points[kPatch];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kPatch; ++i) column[i] = hn::Load(tag, d + i * d_row + j * kLanes + part);
      to_points(column, points);
      CHALKGRAD_UNROLL
      for (int i = 0; i < kPatch; ++i) t[i][j] = points[i];
    }
    CHALKGRAD_UNROLL
    for (int i = 0; i < kPatch; ++i) {
      LaneVec points[kPatch];
      to_points(t[i], points);
      CHALKGRAD_UNROLL
      for (int j = 0; j < kPatch; ++j) hn::Store(points[j], tag, v + (i * kPatch + j) * v_plane + part);
    }
  }
}

/// A square of places in a plane of height × width that is surrounded by zeros.
struct Square {
  std::int64_t top, left, size, height, width;

  bool inside() const { return top >= 0 && left >= 0 && top + size <= height && left + size <= width; }
  /// `to` receives size × size places.
  void copy(const float* plane, float* to) const {
    for (std::int64_t row = top; row < top + size; ++row) {
      for (std::int64_t column = left; column < left + size; ++column, to += kLanes) {
        const bool zero = row < 0 || row >= height || column < 0 || column >= width;
        (zero ? Lanes(0.0f) : Lanes::load(plane + (row * width + column) * kLanes)).store(to);
      }
    }
  }
};

/// How z is divided into tiles, row by row.
struct TileGrid {
  std::int64_t across;       // tiles in a row
  std::int64_t first, most;  // of a batch: its first tile, and how many there is room for
};

/// v[k][c][t] = (Bᵀ x B)[k] of `count` tiles.
HWY_INLINE void transform_x(const ConvShape& s, const TileGrid& grid, const float* x, std::int64_t count, float* v,
                            std::int64_t v_plane) {
  alignas(64) float copy[kPatch * kPatch * kLanes];
  for (std::int64_t c = 0; c < s.channels; ++c, x += s.height * s.width * kLanes) {
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t row = (grid.first + t) / grid.across, column = (grid.first + t) % grid.across;
      const Square patch{row * kTile - s.pad_h, column * kTile - s.pad_w, kPatch, s.height, s.width};
      float* const to = v + (c * grid.most + t) * kLanes;
      if (patch.inside()) {
        transform_patch(x + (patch.top * s.width + patch.left) * kLanes, s.width * kLanes, to, v_plane);
      } else {
        patch.copy(x, copy);
        transform_patch(copy, kPatch * kLanes, to, v_plane);
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
