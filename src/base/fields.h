// What can be done with any struct whose fields can be visited (chalkgrad/fields.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/fields.h"

namespace chalk {

using VisitFields = std::function<void(FieldVisitor&)>;

/// Throws InputError "momentum is 1.5; it must be at least 0 and below 1" for the first field that is out of range.
void check_fields(const VisitFields& visit);

/// The fields' names and values as text, in their order.
std::vector<std::pair<std::string, std::string>> texts_of(const VisitFields& visit);

/// The least and the most whole number of a range. Where only the lower end is given, the upper is that of
/// std::int64_t; where none is, the ends are ±2^31.
std::pair<std::int64_t, std::int64_t> whole_numbers(const Range& range);

/// A field's name as an option of the command line: "weight_decay" is "weight-decay".
std::string with_dashes(std::string_view name);

}  // namespace chalk
