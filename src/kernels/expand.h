// Reading a value that is smaller than the shape it is used in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chalkgrad/shape.h"

namespace chalk {

/// For each place of `to`, row-major, the element of `from` that broadcasting puts there.
std::vector<std::uint32_t> broadcast_places(const Shape& from, const Shape& to);

/// Lane groups to[i] = from[places[i]]; a shared `from` holds plain floats, each of which fills sixteen lanes.
void expand_places(const float* from, bool shared, const std::uint32_t* places, std::size_t count, float* to);

/// Of one sample: to[i] = from[places[first + i]]. `run`: run_of(places).
void pick_places(const float* from, const std::vector<std::uint32_t>& places, std::size_t run, std::size_t first,
                 std::size_t count, float* to);
/// The largest number such that every so many neighbours, counted from the first, are the same place.
std::size_t run_of(const std::vector<std::uint32_t>& places);

}  // namespace chalk
