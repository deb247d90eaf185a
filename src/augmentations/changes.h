// What is done to a picture by a number that somebody else has drawn.
#pragma once

#include <cstdint>

#include "src/augmentations/augmentation.h"

namespace chalk {

/// The pixel at (row, column) becomes the one that was at (row + down, column + right); what is not there is the fill.
void move(Picture& picture, std::int64_t down, std::int64_t right, Fill fill, Random& random);

// Byte b becomes factor · b + (1 − factor) · c, factor in 1/65536, rounded and limited to 0 … 255.
void brighten(Picture& picture, double factor);         ///< c = 0
void change_contrast(Picture& picture, double factor);  ///< c is the mean of the picture in grey, rounded
void saturate(Picture& picture, double factor);         ///< c is the pixel in grey; other channels than three stay
/// c is the mean of the 3 × 3 pixels around it, of which the one in the middle counts five times, rounded; pixels at
/// the border stay.
void sharpen(Picture& picture, double factor);

}  // namespace chalk
