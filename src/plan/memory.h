// Places in an arena for values that do not all live at once.
#pragma once

#include <cstddef>
#include <vector>

namespace chalk {

/// A value that needs `size` floats from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t size = 0;
  int first = 0, last = 0;
  std::size_t offset = 0;  // found by book()
};

/// Gives each lifetime an offset (in floats, multiples of 16) such that none that overlap in time overlap in place: the
/// largest first, each in the lowest gap that holds it. Returns the size of the arena. Under AddressSanitizer nothing
/// is shared and each value is followed by a red zone, so that a kernel that runs over its end is caught.
std::size_t book(std::vector<Lifetime>& lifetimes);

/// Poisons (AddressSanitizer) what book() has left between values; does nothing in other builds.
void guard_red_zones(const float* arena, const std::vector<Lifetime>& lifetimes);

}  // namespace chalk
