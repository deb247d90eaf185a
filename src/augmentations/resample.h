// Pictures read between their pixels.
#pragma once

#include <cstdint>

#include "src/augmentations/augmentation.h"

namespace chalk {

/// Which place of a picture each pixel of another one shows: that at (row, column) shows
///   x = xx · column + xy · row + x0,  y = yx · column + yy · row + y0
/// with x to the right and y down, in pixels.
struct Placement {
  double xx = 1, xy = 0, x0 = 0, yx = 0, yy = 1, y0 = 0;

  /// The linear map around the middle of a picture, which is at ((rows − 1) / 2, (columns − 1) / 2).
  static Placement about_middle(const Picture& picture, double xx, double xy, double yx, double yy);
};

/// A part of a picture, which holds at least one pixel.
struct Part {
  std::size_t row, column, rows, columns;
};

/// By linear interpolation in 1/65536 of a pixel: halves are rounded up, and what is not within the picture is the
/// fill. Places are whole multiples of 2^−32 pixels.
void resample(Picture& picture, const Placement& placement, Fill fill, Random& random);
/// The same, but what is not within the part is what is nearest to it there.
void resample_part(Picture& picture, const Placement& placement, const Part& part);
/// The pixel that is nearest, of two the right or lower one; what has none is the fill.
void resample_nearest(Picture& picture, const Placement& placement, Fill fill, Random& random);

/// cos and sin of an angle in degrees, −180 … 180, the same bits with any C library.
struct Direction {
  double cosine, sine;
};
Direction direction(double degrees);

}  // namespace chalk
