// Winograd's transforms of tiles and patches, on lanes. Included once per instruction set, after
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
#include "src/kernels/conv_winograd_lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// f(0) … f(kCount − 1), unrolled or not.
template <int kCount, bool kUnrolled, class F>
HWY_INLINE void each_line(const F& f) {
  if constexpr (kUnrolled) {
    CHALKGRAD_UNROLL
    for (int i = 0; i < kCount; ++i) f(i);
  } else {
    for (int i = 0; i < kCount; ++i) f(i);
  }
}

/// Transforms of 9 × 9 are too large to be unrolled, and those of 8 × 8 where they are not most of the time.
template <class Line, bool kOften = true>
constexpr bool kUnrolled = Line::kFrom <= 6 || (kOften && Line::kFrom == 8);

/// store(i, j, (M a Mᵀ)[i][j]) where a[i][j] = load(i, j) and M is the matrix of Line: its columns, then its rows.
template <class Line, bool kOften = true, class Load, class Store>
HWY_INLINE void transform(const Load& load, const Store& store) {
  constexpr bool kUnroll = kUnrolled<Line, kOften>;
  LaneVec t[Line::kTo][Line::kFrom];
  each_line<Line::kFrom, kUnroll>([&](int j) HWY_ATTR {
    LaneVec column[Line::kFrom], mapped[Line::kTo];
    CHALKGRAD_UNROLL
    for (int i = 0; i < Line::kFrom; ++i) column[i] = load(i, j);
    Line::map(column, mapped);
    CHALKGRAD_UNROLL
    for (int i = 0; i < Line::kTo; ++i) t[i][j] = mapped[i];
  });
  each_line<Line::kTo, kUnroll>([&](int i) HWY_ATTR {
    LaneVec mapped[Line::kTo];
    Line::map(t[i], mapped);
    CHALKGRAD_UNROLL
    for (int j = 0; j < Line::kTo; ++j) store(i, j, mapped[j]);
  });
}

/// points[k] = (M a Mᵀ)[k], k = i · kTo + j, of a square `a` of places whose columns lie a_step floats apart, its rows
/// a_row. kPast: stores go past the caches, whole lines at a time, to aligned points.
template <class Line, bool kPast = false>
static HWY_NOINLINE void square_to_points(const float* a, std::int64_t a_step, std::int64_t a_row, float* points,
                                          std::int64_t plane) {
  const LaneTag d;
  for (int part = 0; part < 16; part += kWidth) {
    const auto load = [&](int i, int j) HWY_ATTR { return hn::Load(d, a + i * a_row + j * a_step + part); };
    const auto store = [&](int i, int j, LaneVec value) HWY_ATTR {
      float* const to = points + (i * Line::kTo + j) * plane + part;
      kPast ? hn::Stream(value, d, to) : hn::StoreU(value, d, to);
    };
    transform<Line>(load, store);
  }
}

/// A square of places in a plane of height × width that is surrounded by zeros.
struct Square {
  std::int64_t top, left, size, height, width;

  bool inside() const { return top >= 0 && left >= 0 && top + size <= height && left + size <= width; }
  /// f(place of the square, place of the plane or −1)
  template <class F>
  HWY_INLINE void each(const F& f) const {
    std::int64_t place = 0;
    for (std::int64_t row = top; row < top + size; ++row) {
      for (std::int64_t column = left; column < left + size; ++column, ++place) {
        f(place, row < 0 || row >= height || column < 0 || column >= width ? -1 : row * width + column);
      }
    }
  }
  /// Adds size × size places to those of the plane that there are.
  void add(const float* square, float* plane) const {
    each([&](std::int64_t place, std::int64_t to) HWY_ATTR {
      if (to < 0) return;
      (Lanes::load(plane + to * kLanes) + Lanes::load(square + place * kLanes)).store(plane + to * kLanes);
    });
  }
};

/// The same for a square that reaches beyond the plane, where all is zero.
template <class Line>
static HWY_NOINLINE void border_to_points(const Square& square, const float* plane, float* points,
                                          std::int64_t points_plane) {
  alignas(64) static constexpr float kZeros[Line::kFrom * kLanes] = {};
  const LaneTag d;
  const float* rows[Line::kFrom];        // of zeros, or from the first column on that there is
  std::int64_t columns[Line::kFrom];     // from there on
  hn::Mask<LaneTag> there[Line::kFrom];  // all lanes of a column or none
  const std::int64_t first = std::clamp<std::int64_t>(square.left, 0, square.width - 1);
  for (int i = 0; i < Line::kFrom; ++i) {
    const std::int64_t row = square.top + i, column = square.left + i;
    const bool inside = column >= 0 && column < square.width;
    rows[i] = row >= 0 && row < square.height ? plane + (row * square.width + first) * kLanes : kZeros;
    columns[i] = inside ? (column - first) * kLanes : 0;
    there[i] = hn::FirstN(d, inside ? kWidth : 0);
  }
  for (int part = 0; part < 16; part += kWidth) {
    const auto load = [&](int i, int j)
                          HWY_ATTR { return hn::IfThenElseZero(there[j], hn::Load(d, rows[i] + columns[j] + part)); };
    const auto store = [&](int i, int j, LaneVec value)
                           HWY_ATTR { hn::StoreU(value, d, points + (i * Line::kTo + j) * points_plane + part); };
    transform<Line, false>(load, store);
  }
}

/// Asks for a tile of a plane before its turn: the rows of a tile are too short to be foreseen by the processor, and
/// maps may come from far away.
HWY_INLINE void fetch_tile(const float* tile, std::int64_t row) {
  for (int i = 0; i < kTile; ++i) {
    for (int j = 0; j < kTile; ++j) __builtin_prefetch(tile + i * row + j * kLanes);
  }
}

constexpr std::int64_t kMostBatch = 24;  // tiles whose points are there at once, at most

/// How z is divided into tiles, row by row.
struct TileGrid {
  std::int64_t across;       // tiles in a row
  std::int64_t first, most;  // of a batch: its first tile, and how many there is room for
};

/// Planes of places, and squares in them: a tile of z begins at `stride` times its place in z, and its square `pad`
/// places before that.
struct Planes {
  std::int64_t count, height, width, pad_h = 0, pad_w = 0, stride = 1;
};

/// points[k][c][t] = (M a Mᵀ)[k] for the squares a of `count` tiles in each plane.
template <class Line>
void planes_to_points(const Planes& planes, const TileGrid& grid, const float* a, std::int64_t count, float* points,
                      std::int64_t plane) {
  const std::int64_t a_row = planes.width * kLanes, a_plane = planes.height * a_row;
  Square squares[kMostBatch];
  std::int64_t starts[kMostBatch];  // of tiles in a plane
  bool inside[kMostBatch];
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t row = (grid.first + t) / grid.across * kTile * planes.stride;
    const std::int64_t column = (grid.first + t) % grid.across * kTile * planes.stride;
    squares[t] = {row - planes.pad_h, column - planes.pad_w, Line::kFrom, planes.height, planes.width};
    starts[t] = row * a_row + column * kLanes;
    inside[t] = squares[t].inside();
  }
  const std::int64_t before = planes.pad_h * a_row + planes.pad_w * kLanes;
  for (std::int64_t c = 0; c < planes.count; ++c, a += a_plane) {
    for (std::int64_t t = 0; t < count; ++t) {
      float* const to = points + (c * grid.most + t) * kLanes;
      fetch_tile(a + a_plane + starts[t], a_row);  // the next plane's
      if (inside[t]) {
        square_to_points<Line>(a + starts[t] - before, kLanes, a_row, to, plane);
      } else {
        border_to_points<Line>(squares[t], a, to, plane);
      }
    }
  }
}

/// v[k][c][t] = (Bᵀ x B)[k] of `count` tiles.
template <class F>
void x_to_points(const ConvShape& s, const TileGrid& grid, const float* x, std::int64_t count, float* v,
                 std::int64_t v_plane) {
  planes_to_points<typename F::Patch>({s.channels, s.height, s.width, s.pad_h, s.pad_w, F::kStride}, grid, x, count, v,
                                      v_plane);
}

/// u[k][f][t] = (A dz Aᵀ)[k] of `count` tiles.
template <class F>
void dz_to_points(const ConvShape& s, const TileGrid& grid, const float* dz, std::int64_t count, float* u,
                  std::int64_t u_plane) {
  planes_to_points<typename F::PlacesTransposed>({s.filters, s.out_h, s.out_w}, grid, dz, count, u, u_plane);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
