// Samples in and out of lanes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/moments.h"

namespace chalk {

/// Rows of the sixteen samples of a microbatch; lanes beyond the last sample repeat it.
using LaneRows = const std::uint32_t[16];

/// to[i] lanes = from[row][i].
void gather_values(const float* from, std::size_t count, LaneRows rows, float* to);
/// Of one sample, to[i] lanes = from[channel][i] of up to sixteen channels of `plane` values; the last one again for
/// lanes beyond.
void gather_channels(const float* from, std::size_t plane, int channels, float* to);
/// to[i] lanes = from[row][i] · scale[c] + shift[c] (one rounding), for `channels` channels of `plane` bytes.
void gather_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                  const float* shift, LaneRows rows, float* to);
/// to[i] lanes = 1 where i = label of the row, else 0.
void gather_labels(const std::int32_t* from, std::size_t classes, LaneRows rows, float* to);
/// The same for a single row: to[i] = from[i] …, from[i] · scale[c] + shift[c], or 1 where i = label.
void take_values(const float* from, std::size_t count, float* to);
void take_bytes(const std::uint8_t* from, std::size_t channels, std::size_t plane, const float* scale,
                const float* shift, float* to);
void take_label(std::int32_t label, std::size_t classes, float* to);

/// Of each channel, `width` values: to[i] = to[i] · scale[c] + shift[c] (one rounding).
void scale_channels(std::size_t channels, std::size_t width, const float* scale, const float* shift, float* to);
/// Lanes of gathered samples, by what standardising() makes of each row of `from`: to[i] lanes = to[i] · scale + shift,
/// each lane its own (one rounding).
void standardise_lanes(const float* from, std::size_t count, LaneRows rows, float* to);
void standardise_lanes(const std::uint8_t* from, std::size_t count, LaneRows rows, float* to);
/// The same for the one sample that `from` is.
void standardise_one(const float* from, std::size_t count, float* to);
void standardise_one(const std::uint8_t* from, std::size_t count, float* to);

/// to[n · count + i] = lane n of from[i] for the first `valid` lanes.
void scatter_values(const float* from, std::size_t count, int valid, float* to);

}  // namespace chalk
