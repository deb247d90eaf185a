// From the points of Winograd's transforms to tiles of z, with bias, relu and pooling, on lanes. Included once per
// instruction set, after <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_CONV_WINOGRAD_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_WINOGRAD_TILE_INL_H_
#undef CHALKGRAD_CONV_WINOGRAD_TILE_INL_H_
#else
#define CHALKGRAD_CONV_WINOGRAD_TILE_INL_H_
#endif

#include <cstdint>

#include "src/kernels/conv_pool-inl.h"
#include "src/kernels/conv_winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// z = Aᵀ m A of a tile, + the biases of its lanes (if not null), relu; its rows lie z_row floats apart.
template <class F>
static HWY_NOINLINE void tile_from_points(const float* m, std::int64_t m_plane, const float* bias, const Relu& relu,
                                          float* z, std::int64_t z_row) {
  using Places = typename F::Places;
  const LaneTag d;
  for (int part = 0; part < 16; part += kWidth) {
    const auto b = bias ? hn::Load(d, bias + part) : hn::Set(d, kNoBias);
    const auto load = [&](int i, int j) HWY_ATTR { return hn::Load(d, m + (i * Places::kFrom + j) * m_plane + part); };
    const auto store = [&](int i, int j, LaneVec place) HWY_ATTR {
      const auto value = hn::Add(place, b);
      hn::Store(relu_vec(relu, value), d, z + i * z_row + j * kLanes + part);
    };
    transform<Places>(load, store);
  }
}

/// Pools the windows of a tile that lie in y: rows × columns of them.
static HWY_NOINLINE void pool_tile(const ConvEpilogue& e, const float* z, const float* bias, std::int64_t rows,
                                   std::int64_t columns, float* y, float* index, std::int64_t y_row) {
  const LaneTag d;
  const bool two = e.pool_h == 2 && e.pool_w == 2;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      for (int part = 0; part < 16; part += kWidth) {
        const auto b = hn::Load(d, bias + part);
        const float* window = z + (i * e.pool_h * kTile + j * e.pool_w) * kLanes + part;
        LaneVec best, place;
        if (two) {
          pool_window<2, 2>(window, kTile * kLanes, 2, 2, b, e.relu.on, best, place);
        } else {
          pool_window<0, 0>(window, kTile * kLanes, e.pool_h, e.pool_w, b, e.relu.on, best, place);
        }
        hn::Store(best, d, y + i * y_row + j * kLanes + part);
        if (index) hn::Store(place, d, index + i * y_row + j * kLanes + part);
      }
    }
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
