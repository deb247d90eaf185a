// What must hold before anything is computed.
#pragma once

#include <string>

#include "chalkgrad/shape.h"

namespace chalk {

/// Throws ShapeError for extents below 1, and for more elements than any machine has room for.
void check_shape(const Shape& shape, const std::string& what);

/// What operations and layers say of an input without channels, rows and columns.
std::string not_a_map(const Shape& shape);
/// What they say of groups that do not divide both.
std::string not_divided(std::int64_t groups, std::int64_t channels, std::int64_t filters);

/// Throws InputError for a number of connections below 1.
void check_fan(const std::string& what, std::int64_t fan);

/// Tables of operations and layers are filled before main() begins, but perhaps after an object at namespace scope of
/// the program around is made. Throws std::logic_error.
[[noreturn]] void fail_before_main();

}  // namespace chalk
