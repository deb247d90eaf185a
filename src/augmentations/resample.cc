#include "src/augmentations/resample.h"

#include <algorithm>
#include <cmath>

#include "src/base/power.h"

namespace chalk {
namespace {

// A place, in 2^−32 pixels: pictures have sides below 2^16, and placements enlarge by less than 2^10.
using Place = std::int64_t;
constexpr int kPlaceBits = 32, kWeightBits = 16;

Place place(double pixels) {
  return static_cast<Place>(std::floor(std::clamp(pixels, -0x1p20, 0x1p20) * 0x1p32 + 0.5));
}

/// Calls at(to, x, y) for each pixel of the first plane, whose place is (x, y).
template <class At>
void for_places(const Picture& picture, const Placement& p, At at) {
  const Place xx = place(p.xx), xy = place(p.xy), yx = place(p.yx), yy = place(p.yy);
  Place row_x = place(p.x0), row_y = place(p.y0);
  std::size_t to = 0;
  for (std::size_t r = 0; r < picture.rows; ++r, row_x += xy, row_y += yy) {
    Place x = row_x, y = row_y;
    for (std::size_t c = 0; c < picture.columns; ++c, x += xx, y += yx) at(to++, x, y);
  }
}

struct Between {
  std::int64_t whole;   // the pixel before
  std::int64_t weight;  // of the one behind it, in 2^−16
};

Between between(Place x) {
  return {x >> kPlaceBits, (x >> (kPlaceBits - kWeightBits)) & ((std::int64_t{1} << kWeightBits) - 1)};
}

Byte mixed(const std::int64_t (&corners)[4], std::int64_t right, std::int64_t down) {
  constexpr std::int64_t kOne = std::int64_t{1} << kWeightBits;
  const auto above = corners[0] * (kOne - right) + corners[1] * right;
  const auto below = corners[2] * (kOne - right) + corners[3] * right;
  const auto sum = above * (kOne - down) + below * down;
  return static_cast<Byte>((sum + (std::int64_t{1} << (2 * kWeightBits - 1))) >> (2 * kWeightBits));
}

}  // namespace

Placement Placement::about_middle(const Picture& picture, double xx, double xy, double yx, double yy) {
  const double x = 0.5 * (static_cast<double>(picture.columns) - 1), y = 0.5 * (static_cast<double>(picture.rows) - 1);
  return {.xx = xx, .xy = xy, .x0 = x - (xx * x + xy * y), .yx = yx, .yy = yy, .y0 = y - (yx * x + yy * y)};
}

void resample(Picture& picture, const Placement& placement, Fill fill, Random& random) {
  const auto rows = static_cast<std::int64_t>(picture.rows), columns = static_cast<std::int64_t>(picture.columns);
  const auto area = picture.area();
  for_places(picture, placement, [&](std::size_t to, Place at_x, Place at_y) {
    const auto x = between(at_x), y = between(at_y);
    const bool left = x.whole >= 0 && x.whole < columns, right = x.whole >= -1 && x.whole < columns - 1;
    const bool above = y.whole >= 0 && y.whole < rows, below = y.whole >= -1 && y.whole < rows - 1;
    const auto from = y.whole * columns + x.whole;
    for (std::size_t c = 0; c < picture.channels; ++c) {
      const Byte* plane = picture.plane(c);
      if (left && right && above && below) {
        const Byte* p = plane + from;
        picture.spare[c * area + to] = mixed({p[0], p[1], p[columns], p[columns + 1]}, x.weight, y.weight);
        continue;
      }
      const std::int64_t empty = fill_byte(picture, fill, random, c);
      const auto pixel = [&](bool inside, std::int64_t at) { return inside ? std::int64_t{plane[at]} : empty; };
      picture.spare[c * area + to] =
          mixed({pixel(left && above, from), pixel(right && above, from + 1), pixel(left && below, from + columns),
                 pixel(right && below, from + columns + 1)},
                x.weight, y.weight);
    }
  });
  picture.take_spare();
}

void resample_part(Picture& picture, const Placement& placement, const Part& part) {
  const auto area = picture.area();
  const auto most = [](std::size_t first, std::size_t count) { return static_cast<Place>(first + count - 1) << 32; };
  const Place left = static_cast<Place>(part.column) << 32, right = most(part.column, part.columns);
  const Place top = static_cast<Place>(part.row) << 32, bottom = most(part.row, part.rows);
  for_places(picture, placement, [&](std::size_t to, Place at_x, Place at_y) {
    const auto x = between(std::clamp(at_x, left, right)), y = between(std::clamp(at_y, top, bottom));
    const auto from = y.whole * static_cast<std::int64_t>(picture.columns) + x.whole;
    // Behind the last pixel there is none, and its weight is 0.
    const auto beside = x.weight == 0 ? 0 : 1;
    const auto under = y.weight == 0 ? 0 : static_cast<std::int64_t>(picture.columns);
    for (std::size_t c = 0; c < picture.channels; ++c) {
      const Byte* p = picture.plane(c) + from;
      picture.spare[c * area + to] = mixed({p[0], p[beside], p[under], p[under + beside]}, x.weight, y.weight);
    }
  });
  picture.take_spare();
}

void resample_nearest(Picture& picture, const Placement& placement, Fill fill, Random& random) {
  const auto rows = static_cast<std::int64_t>(picture.rows), columns = static_cast<std::int64_t>(picture.columns);
  constexpr Place kHalf = Place{1} << (kPlaceBits - 1);
  for_places(picture, placement, [&](std::size_t to, Place at_x, Place at_y) {
    const auto x = (at_x + kHalf) >> kPlaceBits, y = (at_y + kHalf) >> kPlaceBits;
    const bool inside = x >= 0 && x < columns && y >= 0 && y < rows;
    for (std::size_t c = 0; c < picture.channels; ++c) {
      picture.spare[c * picture.area() + to] =
          inside ? picture.plane(c)[y * columns + x] : fill_byte(picture, fill, random, c);
    }
  });
  picture.take_spare();
}

Direction direction(double degrees) {
  const double x = std::abs(degrees) / 180;
  const double sine = cos_pi(std::abs(0.5 - x));  // sin πx
  return {cos_pi(x), degrees < 0 ? -sine : sine};
}

}  // namespace chalk
